import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

// Written in TypeScript, as the library that it plays with: bundled here, and run from beside its sources.
const source = fileURLToPath(new URL('../test/simulation/main.ts', import.meta.url));
const file = source.replace('main.ts', `.main-${process.pid}.mjs`);

const bundle = await rolldown({ input: source, platform: 'node', external: ['rolldown'] });
await bundle.write({ file, format: 'esm' });
try {
  await import(file);
} finally {
  rmSync(file);
}

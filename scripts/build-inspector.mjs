// Part of npm run build: bundles the page of the inspector, so that it needs nothing where it runs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = `${root}lib/inspector/page/`;
const target = `${root}dist/inspector/page/`;
const uplot = dirname(dirname(createRequire(import.meta.url).resolve('uplot')));

// Its licence asks that its text goes wherever the code goes.
const { version } = JSON.parse(readFileSync(join(uplot, 'package.json'), 'utf8'));
const banner = `/*! uPlot ${version}\n${readFileSync(join(uplot, 'LICENSE'), 'utf8').trim()}\n*/`;

const bundle = await rolldown({
  input: `${source}inspector.ts`,
  platform: 'browser',
  tsconfig: `${source}tsconfig.json`,
});
const { output } = await bundle.generate({
  format: 'esm',
  minify: true,
  codeSplitting: false,
  postBanner: banner,
});
await bundle.close();

mkdirSync(target, { recursive: true });
writeFileSync(`${target}inspector.js`, output[0].code);
const styles = [join(uplot, 'dist/uPlot.min.css'), `${source}inspector.css`].map((path) =>
  readFileSync(path, 'utf8').trim(),
);
writeFileSync(`${target}inspector.css`, `${banner}\n${styles.join('\n')}\n`);

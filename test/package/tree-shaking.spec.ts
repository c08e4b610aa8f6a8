import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown, type InputOptions, type OutputChunk } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { unpackTarball } from '../support/packed-package.js';
import { readManifest, ROOT } from '../support/repository.js';
import { passedSmoke, runSmoke, SMOKE_TIMEOUT_MS, smokeProgram } from '../support/smoke.js';

/** Everything that belongs to somebody else stays an import. */
const isForeign = (id: string): boolean => /^(node:|@nestjs\/|ws$|rxjs|reflect-metadata$)/.test(id);

const INSTALLED = join(ROOT, 'test/apps/nest12/node_modules/nestjs-channels');

async function bundle(input: string, options: InputOptions = {}): Promise<string> {
  const build = await rolldown({
    input,
    platform: 'node',
    external: isForeign,
    logLevel: 'silent',
    ...options,
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  return output
    .filter((part): part is OutputChunk => part.type === 'chunk')
    .map(({ code }) => code)
    .join('\n');
}

/** The code of each module, without the comments by which the bundler tells them apart. */
function linesOf(code: string): string[] {
  return code.split('\n').filter((line) => !/^\s*(\/\/.*)?$/.test(line));
}

const entries = Object.values(readManifest().exports)
  .filter((target) => typeof target !== 'string')
  .map((target) => (target as unknown as { readonly default: string }).default);

describe('"sideEffects": false', () => {
  it.each(entries)('loses nothing of %s', async (path) => {
    const entry = join(INSTALLED, path);

    const flagged = await bundle(entry);
    const unflagged = await bundle(entry, { treeshake: { moduleSideEffects: true } });

    expect(linesOf(flagged).length).toBeGreaterThan(50);
    expect(linesOf(unflagged)).toEqual(linesOf(flagged));
  });

  it('is true: no module is imported for what it does', () => {
    const imports = [...unpackTarball()]
      .filter(([path]) => path.endsWith('.js'))
      .flatMap(([path, content]) =>
        (/^import ['"].*/m.exec(String(content)) ?? []).map((line) => `${path}: ${line}`),
      );

    expect(imports).toEqual([]);
  });

  it(
    'leaves an application whole that is bundled with it',
    async () => {
      const folder = join(ROOT, 'test/apps/nest12/dist/bundled');
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      const build = await rolldown({ input: smokeProgram('nest12'), platform: 'node', external: isForeign });
      await build.write({ file: join(folder, 'smoke.js'), format: 'esm', codeSplitting: false });
      await build.close();

      const result = await runSmoke(process.execPath, join(folder, 'smoke.js'));

      // A bundle for Node is given a `require` of its own, by which the program takes itself for CommonJS.
      expect(result).toEqual(passedSmoke(process.versions.node, 'require'));
    },
    SMOKE_TIMEOUT_MS,
  );

  // Negative control: a package with a module that is imported for what it does differs.
  it('would lose a module that is imported for what it does', async () => {
    const virtual = (moduleSideEffects: boolean): InputOptions => ({
      plugins: [
        {
          name: 'effect',
          resolveId: (id) => (id === 'effect' ? { id, moduleSideEffects } : undefined),
          load: (id) => (id === 'effect' ? 'globalThis.patched = true;' : undefined),
          transform: (code, id) =>
            id.endsWith('dist/client/index.js') ? `import 'effect';\n${code}` : undefined,
        },
      ],
    });
    const entry = join(INSTALLED, 'dist/client/index.js');

    const flagged = await bundle(entry, virtual(false));
    const unflagged = await bundle(entry, virtual(true));

    expect(linesOf(unflagged)).not.toEqual(linesOf(flagged));
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readManifest, ROOT } from '../support/repository.js';

/** What typedoc writes of a declaration. */
interface Reflection {
  readonly name: string;
  readonly children?: readonly Reflection[];
  readonly comment?: object;
  readonly signatures?: readonly Reflection[];
}

/** A compiler starts cold, next to the other tests of the run. */
const TYPEDOC_TIMEOUT_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'api-reference-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What `npm run docs:api` runs, with the configuration of the repository. */
async function typedoc(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const program = join(ROOT, 'node_modules/typedoc/bin/typedoc');
  const child = spawn(process.execPath, [program, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { code, output: stripVTControlCharacters(out + errors) };
}

/** The options of an interface without a word on what they do. */
function silentOptions(declaration: Reflection): string[] {
  if (!/(Options|Extras)$/.test(declaration.name)) return [];
  const { name, children = [] } = declaration;
  return children
    .filter((option) => !option.comment && !option.signatures?.some(({ comment }) => comment))
    .map((option) => `${name}.${option.name}`);
}

describe('the reference', () => {
  const html = join(folder, 'html');
  const json = join(folder, 'api.json');
  let run: Awaited<ReturnType<typeof typedoc>>;

  beforeAll(async () => {
    run = await typedoc('--out', html, '--json', json);
  }, TYPEDOC_TIMEOUT_MS);

  const modules = (): readonly Reflection[] =>
    (JSON.parse(readFileSync(json, 'utf8')) as Reflection).children ?? [];

  it('is made without a warning', () => {
    expect(run).toEqual({ code: 0, output: expect.not.stringMatching(/warning|error/i) });
    expect(existsSync(join(html, 'index.html'))).toBe(true);
  });

  it('has every entry, with all that it exports', async () => {
    const entries = Object.entries(readManifest().exports).filter(([, target]) => typeof target !== 'string');

    expect(modules()).toHaveLength(entries.length);
    for (const [entry, target] of entries) {
      const { default: path } = target as unknown as { readonly default: string };
      const exported = Object.keys(await import(join(ROOT, path)));
      const documented = modules().find(({ name }) => name === (entry === '.' ? 'index' : entry.slice(2)));

      expect(documented?.children?.map(({ name }) => name)).toEqual(expect.arrayContaining(exported));
    }
  });

  it('says of every option what it does', () => {
    const declarations = modules().flatMap(({ children = [] }) => children);

    expect(declarations.map(({ name }) => name)).toContain('ChannelsModuleOptions');
    expect(declarations.flatMap(silentOptions)).toEqual([]);
  });
});

// Negative control: warnings that nobody sees must not pass for a reference without one.
describe('the check of the reference', () => {
  it(
    'fails on what has no text, on a link to nothing and on a type that is not exported',
    async () => {
      const config = join(folder, 'typedoc.config.mjs');
      writeFileSync(
        config,
        `import config from ${JSON.stringify(pathToFileURL(join(ROOT, 'typedoc.config.mjs')))};\n` +
          `export default { ...config, tsconfig: 'tsconfig.json', entryPoints: ['entry.ts'] };\n`,
      );
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: { types: [], lib: ['es2023'] }, files: ['entry.ts'] }),
      );
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: readManifest().name }));
      writeFileSync(
        join(folder, 'entry.ts'),
        'interface Hidden { readonly a: string }\n' +
          'export function silent(): void {}\n' +
          '/** See {@link nowhere}. */\nexport function linked(hidden: Hidden): void { void hidden; }\n',
      );

      const { code, output } = await typedoc('--options', config, '--emit', 'none');

      expect(code).not.toBe(0);
      expect(output).toContain('silent (CallSignature), defined in');
      expect(output).toContain('Failed to resolve link to "nowhere"');
      expect(output).toContain('Hidden, defined in');
    },
    TYPEDOC_TIMEOUT_MS,
  );

  it('finds an option without a text', () => {
    const options = { name: 'SomeOptions', children: [{ name: 'a', comment: {} }, { name: 'b' }] };

    expect(silentOptions(options)).toEqual(['SomeOptions.b']);
  });
});

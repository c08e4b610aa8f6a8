import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { compileConsumer, loadCompiler, readConsumer, type Complaints } from '../support/consumer-types.js';
import { expectInstalled } from '../support/packed-package.js';

/** All but `redis`, whose users have ioredis. */
const ENTRIES = ['server', 'client', 'storage', 'protocol', 'publisher', 'testing'];

/** Two cold compilers take all of Nest and of Node in. */
const COMPILER_TIMEOUT_MS = 120_000;

const STRICT: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  strict: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  skipLibCheck: false,
  // Those of the compiler itself: seconds for the DOM, and no business of ours.
  skipDefaultLibCheck: true,
  noEmit: true,
};

const NODE: ts.CompilerOptions = {
  ...STRICT,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};

const BROWSER: ts.CompilerOptions = {
  ...STRICT,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: [],
};

/** Each compiler sees both releases of Nest, and each of the two options both ways. */
const SERVERS = [
  { app: 'nest11', compilerOf: 'nest11', exact: true, verbatim: false },
  { app: 'nest12', compilerOf: 'nest11', exact: false, verbatim: true },
  { app: 'nest11', compilerOf: 'nest12', exact: false, verbatim: true },
  { app: 'nest12', compilerOf: 'nest12', exact: true, verbatim: false },
] as const;

/** Every entry as a module of ESM, and as one of CommonJS in the form that the option asks for. */
function serverFiles(verbatim: boolean): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of ENTRIES) {
    files.set(`${entry}.mts`, readConsumer(`${entry}.ts`));
    if (!verbatim) files.set(`${entry}.cts`, readConsumer(`${entry}.ts`));
  }
  if (verbatim) files.set('required.cts', readConsumer('required.cts'));
  return files;
}

describe('the types of the installed package', { timeout: COMPILER_TIMEOUT_MS }, () => {
  it('are compiled by TypeScript 5.9 and 6', () => {
    expect(loadCompiler('nest11').version).toMatch(/^5\.9\./);
    expect(loadCompiler('nest12').version).toMatch(/^6\./);
  });

  // The files of test/apps/types have lines that must not compile: types that are lost become errors as well.
  it.each(SERVERS)(
    'hold in $app with the compiler of $compilerOf, exactOptionalPropertyTypes $exact, verbatimModuleSyntax $verbatim',
    ({ app, compilerOf, exact, verbatim }) => {
      expectInstalled(app);

      const complaints = compileConsumer({
        app,
        compilerOf,
        files: serverFiles(verbatim),
        options: { ...NODE, exactOptionalPropertyTypes: exact, verbatimModuleSyntax: verbatim },
        missing: ['@types/ws', 'ioredis'],
      });

      expect(complaints).toEqual({ ours: [], others: [] });
    },
  );

  // That of the repository: no application has one of its own.
  it.each(SERVERS)(
    'hold for a user of ioredis in $app with the compiler of $compilerOf, exactOptionalPropertyTypes $exact',
    ({ app, compilerOf, exact, verbatim }) => {
      expectInstalled(app);
      const formats = verbatim ? ['mts'] : ['mts', 'cts'];

      const complaints = compileConsumer({
        app,
        compilerOf,
        files: new Map(formats.map((format) => [`redis.${format}`, readConsumer('redis.ts')])),
        options: { ...NODE, exactOptionalPropertyTypes: exact, verbatimModuleSyntax: verbatim },
        missing: ['@types/ws'],
      });

      expect(complaints).toEqual({ ours: [], others: [] });
    },
  );

  it.each(['nest11', 'nest12'] as const)(
    'of the client and the protocol need nothing but a browser, with the compiler of %s',
    (compilerOf) => {
      const files = new Map(
        ['client', 'storage', 'protocol'].map((entry) => [`${entry}.ts`, readConsumer(`${entry}.ts`)]),
      );

      const complaints = compileConsumer({
        app: 'nest12',
        compilerOf,
        files,
        options: { ...BROWSER, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true },
        missing: ['@types/', '@nestjs/', 'ws/'],
      });

      expect(complaints).toEqual({ ours: [], others: [] });
    },
  );
});

// Negative control: a check that sees nothing must not pass for types without a fault.
describe('the check of types', { timeout: COMPILER_TIMEOUT_MS }, () => {
  const complaintsOf = (files: Record<string, string>): Complaints =>
    compileConsumer({
      app: 'nest12',
      compilerOf: 'nest12',
      files: new Map(Object.entries(files)),
      options: { ...BROWSER, lib: ['lib.es2023.d.ts'] },
      missing: ['@types/'],
    });

  it('reports a consumer who is wrong', () => {
    const { ours } = complaintsOf({
      'a.ts': `import { closeCode } from 'nestjs-channels/protocol';\ncloseCode('1012');`,
    });

    expect(ours).toEqual([expect.stringMatching(/^a\.ts\(2\): TS2345 /)]);
  });

  it('reports a line that must not compile and does', () => {
    const { ours } = complaintsOf({ 'a.ts': '// @ts-expect-error\nexport const a = 1;' });

    expect(ours).toEqual([expect.stringMatching(/^a\.ts\(1\): TS2578 /)]);
  });

  it('reports declarations of ours that are broken', () => {
    const { ours, others } = complaintsOf({
      'a.ts': `export * from 'nestjs-channels/protocol';`,
      'node_modules/nestjs-channels/dist/protocol/index.d.ts': 'export declare const a: Missing;',
    });

    expect(ours).toEqual([expect.stringMatching(/^node_modules\/nestjs-channels\/.*TS2304 .*Missing/)]);
    expect(others).toEqual([]);
  });

  it('tells those of another package apart', () => {
    const complaints = complaintsOf({
      'a.ts': `export * from 'foreign';`,
      'node_modules/foreign/index.d.ts': 'export declare const a: Missing;',
    });

    expect(complaints).toEqual({ ours: [], others: [expect.stringContaining('node_modules/foreign/')] });
  });

  it('names ioredis to a user of the broker who has not installed it', () => {
    const { ours } = compileConsumer({
      app: 'nest12',
      compilerOf: 'nest12',
      files: new Map([['a.mts', `export { RedisBroker } from 'nestjs-channels/redis';`]]),
      options: NODE,
      missing: ['ioredis'],
    });

    expect(ours).toEqual([
      expect.stringMatching(/^node_modules\/nestjs-channels\/dist\/redis\/.*TS2307 .*'ioredis'/),
    ]);
  });

  it('compiles for somebody who has no types of ws, and none of Node in a browser', () => {
    const { ours } = complaintsOf({
      'a.ts': `export { WebSocket } from 'ws';\nexport const id = process.pid;`,
    });

    expect(ours).toEqual([
      expect.stringMatching(/^a\.ts\(1\): TS7016 /),
      expect.stringMatching(/^a\.ts\(2\): TS2\d+ .*process/),
    ]);
  });
});

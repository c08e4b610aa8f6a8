import { join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/repository.js';

const LIB = ['lib.es2022.d.ts'];
const ENTRY = join(ROOT, 'lib/client/index.ts');
const USER = join(ROOT, 'lib/client/user-of-the-client.ts');

const BASE: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
};

/** The declarations of the client, as they are published. */
function declarations(): Map<string, string> {
  const files = new Map<string, string>();
  const options = { ...BASE, declaration: true, emitDeclarationOnly: true, types: ['node'], lib: LIB };
  ts.createProgram([ENTRY], options).emit(undefined, (path, text) => files.set(path, text));
  return files;
}

/** What the compiler says about files that stand nowhere on disk, and in the place of their sources. */
function faultsIn(files: ReadonlyMap<string, string>, options: ts.CompilerOptions): string[] {
  const settings = { ...BASE, ...options, noEmit: true };
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile, getSourceFile } = host;
  const isReplaced = (path: string): boolean => files.has(path.replace(/\.ts$/, '.d.ts'));
  host.fileExists = (path) => files.has(path) || (!isReplaced(path) && fileExists(path));
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...files.keys()], settings, host);
  const diagnostics = [...files.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  });
  return [...program.getOptionsDiagnostics(), ...diagnostics].map(
    ({ file, messageText }) => `${file?.fileName ?? ''} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}

describe('the declarations of the client', { timeout: 60_000 }, () => {
  let files: Map<string, string>;

  beforeAll(() => {
    files = declarations();
  }, 60_000);

  it('compile for a page without the types of Node', () => {
    expect(files.size).toBeGreaterThan(10);
    expect(faultsIn(files, { lib: [...LIB, 'lib.dom.d.ts'], types: [] })).toEqual([]);
  });

  it('compile for Node without the types of a page', () => {
    expect(faultsIn(files, { lib: LIB, types: ['node'] })).toEqual([]);
  });

  it('take the WebSocket and the url of a page', () => {
    const code = `
      import { ChannelsClient, type WebSocketConstructor } from './index.js';
      export const ofPage: WebSocketConstructor = WebSocket;
      new ChannelsClient(new URL('/ws', location.href), { WebSocket });
      new ChannelsClient('/ws').send('a', 1, { signal: new AbortController().signal });`;

    const faults = faultsIn(new Map([...files, [USER, code]]), { lib: [...LIB, 'lib.dom.d.ts'], types: [] });

    expect(faults).toEqual([]);
  });
});

import { join } from 'node:path';
import ts from 'typescript';
import type { Block, Fault } from './docs-blocks.js';
import { readManifest, ROOT } from './repository.js';

/** Stands nowhere on disk: the compiler's host serves it from memory, and Node's resolution works in it. */
const VIRTUAL_ROOT = `${ROOT}/.docs-code`;

/** Type-checks all `ts` blocks together, with the package's name leading to the sources in lib. */
export function checkTypes(blocks: readonly Block[]): Fault[] {
  const files = new Map<string, Block>();
  const faults: Fault[] = [];
  for (const block of blocks) {
    const path = virtualPath(block);
    if (!files.has(path)) files.set(path, block);
    else faults.push(`${block.document}:${block.line} a second block is named ${block.name}`);
  }
  const program = ts.createProgram([...files.keys()], compilerOptions(), virtualHost(files));
  faults.push(...program.getOptionsDiagnostics().map((diagnostic) => `tsconfig.json ${message(diagnostic)}`));
  for (const [path, block] of files) faults.push(...faultsOfBlock(program, path, block));
  return faults;
}

/** One folder per document, so that the blocks of one document see each other and nobody else. */
function virtualPath({ document, name, line }: Block): string {
  return `${VIRTUAL_ROOT}/${document.replaceAll(/[^\w.-]/g, '_')}/${name ?? `line-${line}.ts`}`;
}

function compilerOptions(): ts.CompilerOptions {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(
    { ...config.config, include: [], files: [] },
    ts.sys,
    ROOT,
  );
  return {
    ...options,
    noEmit: true,
    declaration: false,
    skipLibCheck: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    // Without it, blocks that neither import nor export would share one global scope.
    moduleDetection: ts.ModuleDetectionKind.Force,
    paths: sourcesOfEntries(),
  };
}

/** The `exports` of package.json, each with the source that its types are built from. */
function sourcesOfEntries(): Record<string, string[]> {
  const { name, exports } = readManifest();
  const paths: Record<string, string[]> = {};
  for (const [entry, target] of Object.entries(exports)) {
    if (typeof target === 'string') continue;
    const source = target.types.replace(/^\.\/dist\//, 'lib/').replace(/\.d\.ts$/, '.ts');
    paths[entry.replace(/^\./, name)] = [join(ROOT, source)];
  }
  return paths;
}

function virtualHost(files: ReadonlyMap<string, Block>): ts.CompilerHost {
  const host = ts.createCompilerHost(compilerOptions());
  const disk = { fileExists: host.fileExists, readFile: host.readFile, getSourceFile: host.getSourceFile };
  return {
    ...host,
    fileExists: (path) => files.has(path) || disk.fileExists(path),
    readFile: (path) => files.get(path)?.code ?? disk.readFile(path),
    directoryExists: (path) => path.startsWith(VIRTUAL_ROOT) || ts.sys.directoryExists(path),
    getSourceFile: (path, options, ...rest) => {
      const block = files.get(path);
      if (!block) return disk.getSourceFile(path, options, ...rest);
      return ts.createSourceFile(path, block.code, options);
    },
  };
}

function faultsOfBlock(program: ts.Program, path: string, block: Block): Fault[] {
  const file = program.getSourceFile(path);
  const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  return diagnostics.map((diagnostic) => describeDiagnostic(diagnostic, block));
}

/** A compiler message at its place in the document. `offset` counts lines from the block's first. */
export function describeDiagnostic(diagnostic: ts.Diagnostic, block: Block, offset = 0): Fault {
  const { file, start = 0 } = diagnostic;
  const line = file ? file.getLineAndCharacterOfPosition(start).line : 0;
  return `${block.document}:${block.line + offset + line} ${message(diagnostic)}`;
}

function message({ code, messageText }: ts.Diagnostic): string {
  return `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
}

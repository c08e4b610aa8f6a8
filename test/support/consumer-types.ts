import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as typescript from 'typescript';
import { ROOT } from './repository.js';

type Compiler = typeof typescript;

/** A project of a user, whose files stand nowhere on disk: in an application of `test/apps`, from memory. */
export interface Consumer {
  /** The application whose packages it has. */
  readonly app: 'nest11' | 'nest12';
  /** The application whose compiler it has: `nest11` brings TypeScript 5.9, `nest12` TypeScript 6. */
  readonly compilerOf: 'nest11' | 'nest12';
  /** What the files are called in the project, and what they hold. */
  readonly files: ReadonlyMap<string, string>;
  readonly options: typescript.CompilerOptions;
  /** Packages that this user has not installed. */
  readonly missing: readonly string[];
}

/** Errors as `file(line): TS0000 message`, split by who can do something about them. */
export interface Complaints {
  /** In our declarations, in the files of the consumer, in the options. */
  readonly ours: readonly string[];
  /** In the declarations of other packages, which nobody sees who has `skipLibCheck`. */
  readonly others: readonly string[];
}

const TYPES_OF_NODE = /\/node_modules\/(@types\/node|undici-types)\//;

const compilers = new Map<string, Compiler>();
const parsed = new Map<string, typescript.SourceFile | undefined>();

export function loadCompiler(app: string): Compiler {
  const known = compilers.get(app);
  if (known) return known;
  const compiler = createRequire(join(ROOT, 'test/apps', app, 'package.json'))('typescript') as Compiler;
  compilers.set(app, compiler);
  return compiler;
}

/** A file of `test/apps/types`. */
export function readConsumer(name: string): string {
  return readFileSync(join(ROOT, 'test/apps/types', name), 'utf8');
}

/** Everything that the compiler has to say of a project and of what it imports. */
export function compileConsumer(consumer: Consumer): Complaints {
  const ts = loadCompiler(consumer.compilerOf);
  const folder = slashed(join(ROOT, 'test/apps', consumer.app));
  const files = new Map([...consumer.files].map(([name, text]) => [`${folder}/${name}`, text]));
  const roots = [...files.keys()].filter((path) => !path.includes('/node_modules/'));
  const host = hostOf(ts, consumer, files);
  const program = ts.createProgram(roots, consumer.options, host);
  const complaints = { ours: [] as string[], others: [] as string[] };
  for (const diagnostic of diagnosticsOf(program)) {
    const path = diagnostic.file?.fileName ?? '';
    const isForeign = path.includes('/node_modules/') && !path.includes('/node_modules/nestjs-channels/');
    complaints[isForeign ? 'others' : 'ours'].push(describe(ts, diagnostic, folder));
  }
  return complaints;
}

/** What `tsc` reports, but for the types of Node: half of the work, and no dependency of any of this. */
function diagnosticsOf(program: typescript.Program): typescript.Diagnostic[] {
  const files = program.getSourceFiles().filter(({ fileName }) => !TYPES_OF_NODE.test(fileName));
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ];
}

function hostOf(
  ts: Compiler,
  { options, missing }: Consumer,
  files: ReadonlyMap<string, string>,
): typescript.CompilerHost {
  const host = ts.createCompilerHost(options, true);
  const folders = new Set([...files.keys()].map((path) => path.slice(0, path.lastIndexOf('/'))));
  const isMissing = (path: string): boolean => missing.some((name) => path.includes(`/node_modules/${name}`));
  return {
    ...host,
    fileExists: (path) => files.has(path) || (!isMissing(path) && host.fileExists(path)),
    directoryExists: (path) =>
      folders.has(path) || (!isMissing(path) && (host.directoryExists?.(path) ?? true)),
    readFile: (path) => files.get(path) ?? host.readFile(path),
    getSourceFile: (path, how, onError) => {
      const text = files.get(path);
      if (text !== undefined) return ts.createSourceFile(path, text, how, true);
      // The same for every project of a compiler; the declarations of Nest are most of the work.
      const key = `${ts.version} ${JSON.stringify([how, options.moduleResolution])} ${path}`;
      if (!parsed.has(key)) parsed.set(key, host.getSourceFile(path, how, onError));
      return parsed.get(key);
    },
  };
}

function describe(
  ts: Compiler,
  { file, start = 0, code, messageText }: typescript.Diagnostic,
  folder: string,
): string {
  const text = `TS${code} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  if (file === undefined) return text;
  const line = file.getLineAndCharacterOfPosition(start).line + 1;
  return `${file.fileName.replace(`${folder}/`, '')}(${line}): ${text}`;
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/');
}

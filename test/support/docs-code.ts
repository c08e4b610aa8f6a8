import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { parseDocument } from 'yaml';
import { extractBlocks, type Block, type Fault } from './docs-blocks.js';
import { checkTypes, describeDiagnostic } from './docs-types.js';
import { readManifest, ROOT } from './repository.js';

/** Path from the repository's root to the Markdown text. */
export type Documents = ReadonlyMap<string, string>;

/** What is wrong with the code blocks of these documents. Empty when every one of them is sound. */
export function findDocsFaults(documents: Documents): Fault[] {
  const extracted = [...documents].map(([path, markdown]) => extractBlocks(path, markdown));
  const blocks = extracted.flatMap((document) => document.blocks);
  const typed = blocks.filter((block) => block.language === 'ts' && !block.file);
  return [
    ...extracted.flatMap((document) => document.faults),
    ...blocks.flatMap(checkBlock),
    ...(typed.length > 0 ? checkTypes(typed) : []),
  ];
}

function checkBlock(block: Block): Fault[] {
  if (block.file) return checkFile(block, block.file);
  switch (block.language) {
    case 'ts':
    case 'text':
      return [];
    case 'json':
      return checkJson(block);
    case 'yaml':
      return checkYaml(block);
    case 'html':
      return checkHtml(block);
    case 'sh':
      return checkShell(block);
    default:
      return [`${at(block)} nothing checks "${block.language}": write ts, json, yaml, html, sh or text`];
  }
}

/** Code of a file of ours is compiled and run where it lives. */
function checkFile(block: Block, file: string): Fault[] {
  const path = join(ROOT, file);
  if (!existsSync(path)) return [`${at(block)} there is no ${file}`];
  return readFileSync(path, 'utf8').trimEnd() === block.code.trimEnd()
    ? []
    : [`${at(block)} differs from ${file}`];
}

function checkJson(block: Block): Fault[] {
  try {
    JSON.parse(block.code);
    return [];
  } catch (error) {
    return [`${at(block)} ${String(error)}`];
  }
}

function checkYaml(block: Block): Fault[] {
  const { errors, warnings } = parseDocument(block.code);
  return [...errors, ...warnings].map((fault) => `${at(block)} ${String(fault)}`);
}

function checkHtml(block: Block): Fault[] {
  const scripts = block.code.matchAll(/<script\b[^>]*>(?<code>[^]*?)<\/script\s*>/gi);
  return [...scripts].flatMap((match) => {
    const code = match.groups?.code ?? '';
    const start = match.index + match[0].indexOf('>') + 1;
    const offset = block.code.slice(0, start).split('\n').length - 1;
    return syntaxErrors(code).map((diagnostic) => describeDiagnostic(diagnostic, block, offset));
  });
}

function syntaxErrors(javascript: string): readonly ts.Diagnostic[] {
  const { diagnostics } = ts.transpileModule(javascript, {
    fileName: 'script.js',
    reportDiagnostics: true,
    compilerOptions: { allowJs: true, module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext },
  });
  return diagnostics ?? [];
}

function checkShell(block: Block): Fault[] {
  const scripts = new Set(Object.keys(readManifest().scripts));
  return block.code.split('\n').flatMap((text, index) => {
    const commands = text.split('&&').map((command) => command.trim());
    if (text.trim() === '') return [];
    return commands
      .map((command) => commandFault(command, scripts))
      .filter((fault) => fault !== undefined)
      .map((fault) => `${block.document}:${block.line + index} ${fault}`);
  });
}

function commandFault(command: string, scripts: ReadonlySet<string>): Fault | undefined {
  const [program, verb = '', argument = ''] = command.split(/\s+/);
  if (program === 'npx' && verb !== '') return undefined;
  if (program !== 'npm') return `"${command}" is neither npm nor npx`;
  if (verb === 'ci' || verb === 'i') return undefined;
  if (verb !== 'run' && verb !== 'start' && verb !== 'test')
    return `"${command}": only ci, i, run, start and test`;
  const script = verb === 'run' ? argument : verb;
  return scripts.has(script) ? undefined : `"${command}": package.json has no script "${script}"`;
}

function at({ document, line }: Block): string {
  return `${document}:${line}`;
}

/** A fenced code block of a Markdown document. */
export interface Block {
  readonly document: string;
  /** Line of the first line of code, counted from 1 as editors do. */
  readonly line: number;
  readonly language: string;
  /** From an info string such as `ts name=foo.ts`: other blocks of the document import `./foo.js`. */
  readonly name: string | undefined;
  /** From `ts file=sample/x.ts`: the block shows this file of the repository, whole and as it is. */
  readonly file: string | undefined;
  readonly code: string;
}

/** Where something is wrong in a document, as `README.md:12 what is wrong`. */
export type Fault = string;

interface OpenFence {
  readonly indent: number;
  readonly marker: string;
  readonly info: string;
  readonly line: number;
  readonly code: string[];
}

/** Every fenced block of a document, in order. Faults are fences that nothing can be checked in. */
export function extractBlocks(document: string, markdown: string): { blocks: Block[]; faults: Fault[] } {
  const blocks: Block[] = [];
  const faults: Fault[] = [];
  let open: OpenFence | undefined;
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    if (!open) {
      open = opensFence(text, index + 1);
    } else if (closesFence(text, open)) {
      const block = toBlock(document, open);
      if (typeof block === 'string') faults.push(block);
      else blocks.push(block);
      open = undefined;
    } else {
      open.code.push(text.slice(Math.min(open.indent, text.search(/\S|$/))));
    }
  }
  if (open) faults.push(`${document}:${open.line} the code block is never closed`);
  return { blocks, faults };
}

function opensFence(text: string, line: number): OpenFence | undefined {
  const match = /^(?<indent>[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?)(?<marker>`{3,}|~{3,})(?<info>[^`]*)$/.exec(text);
  if (!match?.groups) return undefined;
  const { indent = '', marker = '', info = '' } = match.groups;
  return { indent: indent.length, marker, info: info.trim(), line, code: [] };
}

function closesFence(text: string, { marker }: OpenFence): boolean {
  const trimmed = text.trim();
  return trimmed.startsWith(marker) && trimmed.replaceAll(marker.charAt(0), '') === '';
}

function toBlock(document: string, { info, line, code }: OpenFence): Block | Fault {
  const [language = '', ...options] = info.split(/\s+/);
  const at = `${document}:${line}`;
  if (language === '') return `${at} the code block has no language: write ts, json, yaml, html, sh or text`;
  const [option = ''] = options;
  const name = /^name=(?<name>[\w.-]+\.ts)$/.exec(option)?.groups?.name;
  const file = /^file=(?<file>[\w./-]+)$/.exec(option)?.groups?.file;
  const known = options.length === 0 || (options.length === 1 && (file ?? (language === 'ts' && name)));
  if (!known) return `${at} unknown option "${options.join(' ')}": write "ts name=file.ts" or "file=path"`;
  return { document, line: line + 1, language, name, file, code: code.join('\n') };
}

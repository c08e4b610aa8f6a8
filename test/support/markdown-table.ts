const HEADING = /^(#{1,6})\s+(?:(\d+(?:\.\d+)*)\.?\s+)?/;
const FENCE = /^\s*(`{3,}|~{3,})/;
const DELIMITER = /^:?-+:?$/;

interface Table {
  /** The number of the section that the table stands in, as its heading writes it: `9`, `9.1`. */
  readonly section: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads the one table in `section` that has exactly these columns.
 *
 * @throws Error when there is none or more than one, or when a row has another number of cells
 */
export function readTable<const Column extends string>(
  markdown: string,
  section: string,
  columns: readonly Column[],
): Record<Column, string>[] {
  const found = tablesIn(markdown).filter(
    (table) => table.section === section && table.columns.join('|') === columns.join('|'),
  );
  const [table] = found;
  if (!table || found.length > 1) {
    throw new Error(`section ${section} has ${found.length} tables with the columns ${columns.join(', ')}`);
  }
  return table.rows.map((cells) => {
    if (cells.length !== columns.length) {
      throw new Error(`section ${section}: a row has ${cells.length} cells: ${cells.join(' | ')}`);
    }
    return Object.fromEntries(columns.map((column, at) => [column, cells[at]])) as Record<Column, string>;
  });
}

/** The text of a cell that is nothing but a code span, without its backticks. */
export function codeSpan(cell: string): string | undefined {
  return /^`([^`]+)`$/.exec(cell)?.[1];
}

function tablesIn(markdown: string): Table[] {
  const tables: Table[] = [];
  let section = '';
  let block: string[][] = [];
  let fence: string | undefined;

  const endBlock = (): void => {
    const [columns, delimiter, ...rows] = block;
    if (columns && delimiter?.every((cell) => DELIMITER.test(cell))) tables.push({ section, columns, rows });
    block = [];
  };

  for (const line of markdown.split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    if (mark && (!fence || mark.startsWith(fence))) fence = fence ? undefined : mark;
    if (!fence && line.startsWith('|')) {
      block.push(cellsOf(line));
      continue;
    }
    endBlock();
    const heading = fence ? null : HEADING.exec(line);
    if (heading) section = heading[2] ?? '';
  }
  endBlock();
  return tables;
}

/** Splits at the pipes that are not escaped. */
function cellsOf(line: string): string[] {
  return line
    .trim()
    .replace(/^\||(?<!\\)\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

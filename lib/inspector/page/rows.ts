import { setText } from './elements.js';

/** One row of a table. */
export interface Row {
  /** By which it is the same row as before. */
  readonly key: string;
  readonly cells: readonly string[];
  readonly className?: string;
}

interface ShownRow {
  readonly element: HTMLTableRowElement;
  /** Those with a text. */
  readonly cells: readonly HTMLTableCellElement[];
}

/**
 * Keeps the rows of a table in place: a button that has the focus, or is about to be clicked, stays what it is while
 * figures change around it.
 */
export class Rows {
  readonly #rows = new Map<string, ShownRow>();

  /** @param actions - what stands beside the first cell, in reach on a phone; made once for each row */
  constructor(
    private readonly body: HTMLTableSectionElement,
    private readonly actions?: (key: string) => readonly HTMLElement[],
  ) {}

  show(rows: readonly Row[]): void {
    this.#removeOthers(new Set(rows.map(({ key }) => key)));
    for (const [at, row] of rows.entries()) {
      const shown = this.#rows.get(row.key) ?? this.#make(row);
      shown.element.className = row.className ?? '';
      for (const [column, cell] of shown.cells.entries()) setText(cell, row.cells[column] ?? '');
      const place = this.body.rows[at];
      if (place !== shown.element) this.body.insertBefore(shown.element, place ?? null);
    }
  }

  /** First, for to move a row takes the focus from what is in it. */
  #removeOthers(keys: ReadonlySet<string>): void {
    for (const [key, { element }] of this.#rows) {
      if (keys.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
  }

  #make({ key, cells }: Row): ShownRow {
    const element = document.createElement('tr');
    const shown = { element, cells: cells.map((_, at) => document.createElement(at === 0 ? 'th' : 'td')) };
    shown.cells[0]?.setAttribute('scope', 'row');
    element.append(...shown.cells);
    if (this.actions) {
      const cell = document.createElement('td');
      cell.append(...this.actions(key));
      shown.cells[0]?.after(cell);
    }
    this.#rows.set(key, shown);
    return shown;
  }
}

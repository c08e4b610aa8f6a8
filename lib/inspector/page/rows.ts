import { setText } from './elements.js';

/** One row of a table. */
export interface Row {
  /** By which it is the same row as before. */
  readonly key: string;
  readonly cells: readonly string[];
  readonly className?: string;
}

/**
 * Keeps the rows of a table in place: a button that has the focus, or is about to be clicked, stays what it is while
 * figures change around it.
 */
export class Rows {
  readonly #rows = new Map<string, HTMLTableRowElement>();

  /** @param actions - what stands in a last cell; made once for each row */
  constructor(
    private readonly body: HTMLTableSectionElement,
    private readonly actions?: (key: string) => readonly HTMLElement[],
  ) {}

  show(rows: readonly Row[]): void {
    const gone = new Set(this.#rows.keys());
    for (const [at, row] of rows.entries()) {
      gone.delete(row.key);
      const shown = this.#rows.get(row.key) ?? this.#make(row);
      shown.className = row.className ?? '';
      for (const [cell, text] of row.cells.entries())
        setText(shown.cells[cell] as HTMLTableCellElement, text);
      const place = this.body.rows[at];
      if (place !== shown) this.body.insertBefore(shown, place ?? null);
    }
    for (const key of gone) {
      this.#rows.get(key)?.remove();
      this.#rows.delete(key);
    }
  }

  #make({ key, cells }: Row): HTMLTableRowElement {
    const row = document.createElement('tr');
    for (const at of cells.keys()) {
      const cell = document.createElement(at === 0 ? 'th' : 'td');
      if (at === 0) cell.setAttribute('scope', 'row');
      row.append(cell);
    }
    if (this.actions) {
      const cell = document.createElement('td');
      cell.append(...this.actions(key));
      row.append(cell);
    }
    this.#rows.set(key, row);
    return row;
  }
}

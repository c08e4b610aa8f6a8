/** How many keys are told apart. What comes beyond them is counted together. */
const MAX_KEYS = 64;

const OTHER = 'other';

/** Keys that are shown. Codes and messages of errors are such texts; a terminal would obey some others. */
const SHOWN = /^[ -~]{1,128}$/;

/**
 * How often each of a few things has happened, such as each close code. Bounded, and safe to be printed, whatever a
 * server says.
 */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(key: string | number): void {
    const name = String(key);
    const isKnown = this.#counts.has(name) || (this.#counts.size < MAX_KEYS && SHOWN.test(name));
    const counted = isKnown ? name : OTHER;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  has(key: string | number): boolean {
    return this.#counts.has(String(key));
  }

  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }

  /** By key, in the order in which each came first. */
  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}

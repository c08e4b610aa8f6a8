const MS_PER_SECOND = 1_000;

/**
 * Spreads work evenly over time, whether what was begun before is done or not: a slow server is not given fewer
 * messages, which would hide how slow it is.
 */
export class Pacer {
  readonly #perSecond: number;
  readonly #limit: number;
  #taken = 0;

  /** @param limit - how many there are in all */
  constructor(perSecond: number, limit = Infinity) {
    this.#perSecond = perSecond;
    this.#limit = limit;
  }

  /** How many more are due so long after the beginning. They count as begun. */
  take(elapsedMs: number): number {
    const due = Math.min(Math.floor((elapsedMs * this.#perSecond) / MS_PER_SECOND), this.#limit);
    const fresh = Math.max(due - this.#taken, 0);
    this.#taken += fresh;
    return fresh;
  }

  get isDone(): boolean {
    return this.#taken >= this.#limit;
  }
}

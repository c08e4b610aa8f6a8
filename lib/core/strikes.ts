/** Counts what may happen so often within a time, and not once more. Keeps the last ones only. */
export class Strikes {
  readonly #times: number[] = [];

  constructor(
    private readonly most: number,
    private readonly windowMs: number,
  ) {}

  /** Counts one. `true` when there were so many within the window. */
  count(now: number): boolean {
    this.#times.push(now);
    if (this.#times.length > this.most) this.#times.shift();
    const oldest = this.#times[0] ?? now;
    return this.#times.length === this.most && now - oldest <= this.windowMs;
  }
}

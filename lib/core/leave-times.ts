/** How finely times are told apart. */
const BUCKET_MS = 100;
const BUCKETS_PER_SECOND = 1_000 / BUCKET_MS;

/** More of them are counted with the last: a drain does not take longer. */
const MAX_BUCKETS = 6_000;

/** When connections have left, and how many of them in the second in which they were most. */
export class LeaveTimes {
  readonly #buckets: number[] = [];

  get count(): number {
    return this.#buckets.reduce((sum, each) => sum + each, 0);
  }

  get peakPerSecond(): number {
    let peak = 0;
    let inSecond = 0;
    for (const [at, each] of this.#buckets.entries()) {
      inSecond += each - (this.#buckets[at - BUCKETS_PER_SECOND] ?? 0);
      peak = Math.max(peak, inSecond);
    }
    return peak;
  }

  /** @param ms - since the beginning */
  add(ms: number): void {
    const at = Math.min(Math.floor(ms / BUCKET_MS), MAX_BUCKETS - 1);
    while (this.#buckets.length <= at) this.#buckets.push(0);
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
  }
}

/** How finely times are told apart. */
const BUCKET_MS = 100;
const BUCKETS_PER_SECOND = 1_000 / BUCKET_MS;

/** How many connections have left, and how many of them in the second in which they were most. */
export class LeaveTimes {
  /** The last second, a bucket for each of its tenths. */
  readonly #second: number[] = Array.from({ length: BUCKETS_PER_SECOND }, () => 0);
  #latest = 0;
  #inSecond = 0;
  #count = 0;
  #peak = 0;

  get count(): number {
    return this.#count;
  }

  get peakPerSecond(): number {
    return this.#peak;
  }

  /** @param ms - since the beginning, never less than the time before */
  add(ms: number): void {
    const bucket = Math.floor(ms / BUCKET_MS);
    const past = Math.min(bucket - this.#latest, BUCKETS_PER_SECOND);
    for (let at = 1; at <= past; at++) this.#empty((this.#latest + at) % BUCKETS_PER_SECOND);
    this.#latest = bucket;
    const index = bucket % BUCKETS_PER_SECOND;
    this.#second[index] = (this.#second[index] ?? 0) + 1;
    this.#count++;
    this.#peak = Math.max(this.#peak, ++this.#inSecond);
  }

  #empty(index: number): void {
    this.#inSecond -= this.#second[index] ?? 0;
    this.#second[index] = 0;
  }
}

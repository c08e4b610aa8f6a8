/** Things that come one after the other, kept until somebody asks for them. */
export class Arrivals<T> {
  readonly #all: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];
  #taken = 0;

  /** All that have come so far, taken or not. */
  get all(): readonly T[] {
    return this.#all;
  }

  add(item: T): void {
    this.#all.push(item);
    const waiting = this.#waiting.shift();
    if (!waiting) return;
    this.#taken++;
    waiting(item);
  }

  /** The oldest one that nobody has taken, or the next one to come. */
  next(): Promise<T> {
    if (this.#taken < this.#all.length) return Promise.resolve(this.#all[this.#taken++] as T);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

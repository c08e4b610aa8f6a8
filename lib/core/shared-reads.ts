import { SharedRead } from './shared-read.js';

/** A {@link SharedRead} for each thing that somebody asks for. */
export class SharedReads<K, T> {
  readonly #reads = new Map<K, SharedRead<T>>();

  constructor(private readonly begin: (what: K) => Promise<T> | T) {}

  /** Those that are under way. */
  get size(): number {
    return this.#reads.size;
  }

  read(what: K): Promise<T> | T {
    const known = this.#reads.get(what);
    if (known) return known.read();
    const read = new SharedRead(() => this.begin(what));
    const answer = read.read();
    if (answer instanceof Promise) void this.#keep(what, read);
    return answer;
  }

  async #keep(what: K, read: SharedRead<T>): Promise<void> {
    this.#reads.set(what, read);
    await read.idle();
    this.#reads.delete(what);
  }
}

import { SharedRead } from './shared-read.js';

/** A {@link SharedRead} for each thing that somebody asks for. */
export class SharedReads<K, T> {
  /** Those that are under way. */
  readonly #reads = new Map<K, SharedRead<T>>();

  constructor(private readonly begin: (what: K) => Promise<T> | T) {}

  read(what: K): Promise<T> | T {
    const read = this.#reads.get(what) ?? new SharedRead(() => this.begin(what));
    const answer = read.read();
    if (!(answer instanceof Promise)) return answer;
    this.#reads.set(what, read);
    return answer.finally(() => {
      if (read.isIdle && this.#reads.get(what) === read) this.#reads.delete(what);
    });
  }
}

/** So many additions more than there are items, and an iterator that nobody has moved is let go. */
const MAX_IDLE_ADDITIONS = 64;

/**
 * A set whose oldest item is at hand. Of a plain `Set` that has lost its first items a new iterator walks over
 * the places of all of them; this one keeps its iterator, which has them behind it.
 */
export class OldestFirst<T extends object> {
  readonly #items = new Set<T>();
  /** Whatever it has passed is gone, but for {@link #oldest}. */
  #iterator?: SetIterator<T>;
  #oldest?: T;
  /** Since the iterator has moved: from where it stands it keeps all that V8 has set up for the items since. */
  #additions = 0;

  get size(): number {
    return this.#items.size;
  }

  /** The one that was added before all others. */
  get oldest(): T | undefined {
    if (this.#items.size > 0) this.#oldest ??= this.#next();
    return this.#oldest;
  }

  /** Adds an item as the newest one. */
  add(item: T): void {
    this.#items.add(item);
    if (++this.#additions > this.#items.size + MAX_IDLE_ADDITIONS) this.#restart();
  }

  delete(item: T): void {
    this.#items.delete(item);
    if (this.#oldest === item) this.#oldest = undefined;
  }

  clear(): void {
    this.#items.clear();
    this.#oldest = undefined;
    this.#restart();
  }

  #next(): T | undefined {
    this.#iterator ??= this.#items.values();
    this.#additions = 0;
    return this.#iterator.next().value;
  }

  #restart(): void {
    this.#iterator = undefined;
    this.#additions = 0;
  }
}

/**
 * A set whose oldest item is at hand. Of a plain `Set` that has lost its first items a new iterator walks over
 * the places of all of them; this one keeps its iterator, which has them behind it.
 */
export class OldestFirst<T extends object> {
  readonly #items = new Set<T>();
  /** Whatever it has passed is gone, but for {@link #oldest}. */
  readonly #iterator = this.#items.values();
  #oldest?: T;

  get size(): number {
    return this.#items.size;
  }

  /** The one that was added before all others. */
  get oldest(): T | undefined {
    if (this.#items.size > 0) this.#oldest ??= this.#iterator.next().value;
    return this.#oldest;
  }

  /** Adds an item as the newest one. */
  add(item: T): void {
    this.#items.add(item);
  }

  delete(item: T): void {
    this.#items.delete(item);
    if (this.#oldest === item) this.#oldest = undefined;
  }

  clear(): void {
    this.#items.clear();
    this.#oldest = undefined;
  }
}

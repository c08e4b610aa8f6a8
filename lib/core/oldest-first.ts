/** Where an item stands in a queue, until it leaves. */
export interface Place {
  /** Takes the item out of its queue. What has left already stays out. */
  leave(): void;
}

/** Items in the order in which they came, each of which may leave at any time: a linked list, without a look-up. */
export class OldestFirst<T extends object> {
  #oldest?: Link<T>;
  #newest?: Link<T>;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that was added before all others. */
  get oldest(): T | undefined {
    return this.#oldest?.item;
  }

  /** Adds an item as the newest one. */
  add(item: T): Place {
    const link = new Link(this, item, this.#newest);
    if (this.#newest) this.#newest.newer = link;
    else this.#oldest = link;
    this.#newest = link;
    this.#size++;
    return link;
  }

  /** @internal Called by the place of an item. */
  remove(link: Link<T>): void {
    const { older, newer } = link;
    // Whoever keeps the place would keep all that stood beside it, and what stood beside that.
    link.older = link.newer = undefined;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    this.#size--;
  }

  clear(): void {
    for (let link = this.#oldest; link; link = this.#oldest) link.leave();
  }
}

class Link<T extends object> implements Place {
  newer: Link<T> | undefined;
  #queue: OldestFirst<T> | undefined;

  constructor(
    queue: OldestFirst<T>,
    readonly item: T,
    public older: Link<T> | undefined,
  ) {
    this.#queue = queue;
  }

  leave(): void {
    const queue = this.#queue;
    this.#queue = undefined;
    queue?.remove(this);
  }
}

import type { QueueStorage, StoredQueue } from '../queue-storage.interface.js';
import { keysOf, LocalStorageSlot } from './local-storage-slot.js';
import type { PageLike } from './page.interface.js';
import { lockSlot } from './slot-lock.js';

/**
 * Which messages belong together, and where they are kept.
 *
 * @publicApi
 */
export interface LocalStorageQueueOptions {
  /**
   * Keeps messages of one origin apart, such as those of two servers or of two users. Only a client with the
   * same name takes them over.
   *
   * @default ''
   */
  readonly name?: string;

  /**
   * The page, for tests.
   *
   * @default globalThis
   */
  readonly page?: PageLike;
}

/**
 * Keeps the queue of a client in `localStorage`. Each page has a slot of its own there, under a Web Lock that
 * the browser gives back when the page ends, however it ends. Several clients of one server and user may share
 * one: each opens a slot for itself. Give those of another server, or user, another `name`. Making one touches
 * nothing, so that a module may export it.
 *
 * @publicApi
 */
export class LocalStorageQueue implements QueueStorage {
  readonly #prefix: string;
  readonly #page: PageLike;

  constructor({ name = '', page = globalThis as unknown as PageLike }: LocalStorageQueueOptions = {}) {
    this.#prefix = `nestjs-channels.queue:${encodeURIComponent(name)}:`;
    this.#page = page;
  }

  /** Takes over a slot with messages that nobody holds, or a new one. */
  async open(failed: (cause: unknown) => void): Promise<StoredQueue> {
    const { sessionStorage, crypto } = this.#page;
    const own = sessionStorage.getItem(this.#prefix);
    const left = this.#slots().toSorted((one, other) => Number(other === own) - Number(one === own));
    for (const slot of left) {
      // One after the other: each lock that is not needed would be missing elsewhere.
      // oxlint-disable-next-line no-await-in-loop
      const queue = await this.#take(slot, slot === own, failed);
      if (queue && queue.messages.length > 0) return this.#keep(slot, queue, failed);
      queue?.close();
    }
    const slot = crypto.randomUUID();
    const queue = await this.#take(slot, false, failed);
    if (!queue) throw new Error(`Somebody else holds ${slot}.`);
    return this.#keep(slot, queue, failed);
  }

  /** The slots in which there is something. */
  #slots(): string[] {
    const keys = keysOf(this.#page.localStorage, this.#prefix);
    return [...new Set(keys.map((key) => key.slice(this.#prefix.length, key.lastIndexOf(':'))))];
  }

  async #take(
    slot: string,
    waits: boolean,
    failed: (cause: unknown) => void,
  ): Promise<LocalStorageSlot | undefined> {
    const name = this.#prefix + slot;
    let queue: LocalStorageSlot | undefined;
    const lost = (cause: unknown): void => {
      queue?.close();
      failed(cause);
    };
    const lock = await lockSlot(this.#page, name, { waits, lost });
    // Read under the lock: what was there before may have been settled by its holder.
    if (lock) {
      queue = new LocalStorageSlot(this.#page, name, failed);
      queue.hold(lock);
    }
    return queue;
  }

  /** The tab remembers its slot, to find it again behind a reload. */
  #keep(slot: string, queue: StoredQueue, failed: (cause: unknown) => void): StoredQueue {
    try {
      this.#page.sessionStorage.setItem(this.#prefix, slot);
    } catch (cause) {
      failed(cause);
    }
    return queue;
  }
}

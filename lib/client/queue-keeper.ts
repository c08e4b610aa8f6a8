import type { QueueStorage, StoredMessage, StoredQueue } from './queue-storage.interface.js';
import type { Reporter } from './reporter.js';

/** Holds a queue of the storage while the client is not closed. Without a storage there is nothing to do. */
export class QueueKeeper {
  #queue: StoredQueue | undefined;
  #opening: Promise<void> | undefined;
  /** Taken over, or known not to be had. */
  #isSettled = false;
  #isWanted = false;

  constructor(
    private readonly storage: QueueStorage | undefined,
    private readonly reporter: Reporter,
  ) {}

  /** Whether what was stored has been restored. */
  get isOpen(): boolean {
    return this.#queue !== undefined;
  }

  /** @returns a promise where there is something to wait for; it never rejects */
  open(restore: (messages: readonly StoredMessage[]) => void): Promise<void> | undefined {
    if (!this.storage || this.#isSettled) return undefined;
    this.#isWanted = true;
    return (this.#opening ??= this.#open(this.storage, restore));
  }

  save(message: StoredMessage): void {
    this.#do((queue) => queue.save(message));
  }

  remove(id: string): void {
    this.#do((queue) => queue.remove(id));
  }

  close(): void {
    this.#do((queue) => queue.close());
    this.#queue = undefined;
    this.#isSettled = this.#isWanted = false;
  }

  async #open(storage: QueueStorage, restore: (messages: readonly StoredMessage[]) => void): Promise<void> {
    try {
      this.#queue = await storage.open(this.#failed);
      // A client that has closed meanwhile leaves it to the next holder.
      if (this.#isWanted) restore(this.#queue.messages);
      else this.close();
    } catch (cause) {
      this.#failed(cause);
    }
    this.#isSettled = this.#isWanted;
    this.#opening = undefined;
  }

  /** At once, whether it answers later or not. */
  #do(action: (queue: StoredQueue) => void | Promise<void>): void {
    try {
      const done = this.#queue && action(this.#queue);
      if (done) done.catch(this.#failed);
    } catch (cause) {
      this.#failed(cause);
    }
  }

  readonly #failed = (cause: unknown): void => {
    this.reporter.fail('storage_failed', `The storage failed: ${String(cause)}`, cause);
  };
}

import type { StoredMessage, StoredQueue } from '../queue-storage.interface.js';
import type { PageLike } from './page.interface.js';
import { aged, readRecord, writeRecord, type SavedRecord } from './record.js';
import type { SlotLock } from './slot-lock.js';

/** The queue of one page: an item for each message, `<slot>:<number>`, numbered in their order. */
export class LocalStorageSlot implements StoredQueue {
  readonly messages: readonly StoredMessage[];
  readonly #page: PageLike;
  readonly #name: string;
  /** The numbers of the messages that are there, by id. */
  readonly #numbers = new Map<string, number>();
  #last = 0;
  #lock: SlotLock | undefined;

  /** @param failed - is told of items that cannot be read */
  constructor(page: PageLike, name: string, failed: (cause: unknown) => void) {
    this.#page = page;
    this.#name = name;
    this.messages = this.#read(failed);
  }

  /** From here on it is written to, until the lock is given back. */
  hold(lock: SlotLock): void {
    this.#lock = lock;
  }

  save(message: StoredMessage): void {
    if (!this.#lock) return;
    const { localStorage, Date } = this.#page;
    const number = this.#numbers.get(message.id) ?? ++this.#last;
    try {
      localStorage.setItem(this.#key(number), writeRecord(message, Date.now()));
      this.#numbers.set(message.id, number);
    } catch (cause) {
      localStorage.removeItem(this.#key(number));
      throw cause;
    }
  }

  remove(id: string): void {
    const number = this.#numbers.get(id);
    if (number === undefined || !this.#lock) return;
    this.#numbers.delete(id);
    this.#page.localStorage.removeItem(this.#key(number));
  }

  close(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  #read(failed: (cause: unknown) => void): StoredMessage[] {
    const { localStorage, Date } = this.#page;
    const records: SavedRecord[] = [];
    for (const key of keysOf(localStorage, this.#key('')).toSorted(byNumber)) {
      try {
        const record = readRecord(localStorage.getItem(key) ?? '');
        const { id, clientId } = record.message;
        if (clientId !== (records[0]?.message ?? record.message).clientId)
          throw new Error('another identity');
        this.#last = numberOf(key);
        this.#numbers.set(id, this.#last);
        records.push(record);
      } catch (cause) {
        localStorage.removeItem(key);
        failed(new Error(`A stored message cannot be read and is lost: ${String(cause)}`, { cause }));
      }
    }
    const now = Date.now();
    const isSetBack = records.some(({ savedAt }) => savedAt > now);
    return records.map(({ message, savedAt }) =>
      aged({ message, elapsedMs: isSetBack ? undefined : now - savedAt }),
    );
  }

  #key(number: number | ''): string {
    return `${this.#name}:${number}`;
  }
}

/** All keys that begin so. */
export function keysOf(storage: PageLike['localStorage'], prefix: string): string[] {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
  return keys.filter((key) => key.startsWith(prefix));
}

function byNumber(one: string, other: string): number {
  return numberOf(one) - numberOf(other);
}

function numberOf(key: string): number {
  return Number(key.slice(key.lastIndexOf(':') + 1));
}

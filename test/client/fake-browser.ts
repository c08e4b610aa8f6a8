import type { LocksLike, PageLike, StorageLike } from '../../lib/client/storage/index.js';
import { TestClock } from '../../lib/testing/test-clock.js';

/** A `Storage` that can be full. */
export class FakeStorage implements StorageLike {
  readonly items = new Map<string, string>();
  /** How many characters it takes. */
  quota = Infinity;

  get length(): number {
    return this.items.size;
  }

  readonly key = (index: number): string | null => [...this.items.keys()][index] ?? null;

  readonly getItem = (key: string): string | null => this.items.get(key) ?? null;

  readonly setItem = (key: string, value: string): void => {
    let size = key.length + value.length;
    for (const [name, held] of this.items) if (name !== key) size += name.length + held.length;
    if (size > this.quota) throw new Error('QuotaExceededError');
    this.items.set(key, value);
  };

  readonly removeItem = (key: string): void => void this.items.delete(key);
}

interface Held {
  readonly page: object;
  readonly steal: () => void;
}

/** Pages of one origin: they share `localStorage`, the locks, and the clock on the wall. */
export class FakeBrowser {
  readonly clock = new TestClock();
  readonly localStorage = new FakeStorage();
  readonly #held = new Map<string, Held>();
  readonly #waiting = new Set<() => void>();
  wallMs = 1_700_000_000_000;
  #slots = 0;

  /** @param sessionStorage - that of the tab: the same one after a reload, a copy in a duplicate */
  openPage(sessionStorage = new FakeStorage()): { readonly page: PageLike; end(): void } {
    const identity = {};
    const { localStorage, clock } = this;
    const page: PageLike = {
      localStorage,
      sessionStorage,
      navigator: { locks: this.#locksOf(identity) },
      Date: { now: () => this.wallMs },
      crypto: { randomUUID: () => `slot-${++this.#slots}` },
      setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
      clearTimeout: (timer) => clock.clearTimer(timer),
    };
    const end = (): void => {
      for (const [name, held] of this.#held) if (held.page === identity) this.#held.delete(name);
      this.#wake();
    };
    return { page, end };
  }

  get locked(): number {
    return this.#held.size;
  }

  /** Somebody takes all locks by force. */
  stealLocks(): void {
    for (const { steal } of this.#held.values()) steal();
    this.#held.clear();
  }

  #locksOf(page: object): LocksLike {
    return {
      request: async (name, { ifAvailable, signal }, callback) => {
        await Promise.resolve();
        while (this.#held.has(name)) {
          if (ifAvailable) return callback(null);
          await new Promise<void>((resolve, reject) => {
            this.#waiting.add(resolve);
            signal?.addEventListener('abort', () => reject(signal.reason as Error));
          });
        }
        const stolen = new Promise<never>((_resolve, reject) => {
          const steal = (): void => reject(new Error('AbortError: stolen'));
          this.#held.set(name, { page, steal });
        });
        await Promise.race([callback({ name }), stolen]);
        this.#held.delete(name);
        this.#wake();
        return undefined;
      },
    };
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

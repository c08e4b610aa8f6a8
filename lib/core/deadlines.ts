import type { Clock } from './clock.interface.js';
import { ChannelsError } from './errors.js';

/** Something that has to happen within a time. */
export interface Expirable {
  expiresAt: number;
  expire(): void;
}

/**
 * Everything that waits for code of the application. All of it may take equally long, so the
 * order of arrival is the order of expiry and one sweep replaces a timer each.
 */
export class Deadlines {
  readonly #waiting = new Set<Expirable>();

  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  add(expirable: Expirable): void {
    // Added again it goes to the end: the order of the set is the order of expiry.
    this.#waiting.delete(expirable);
    expirable.expiresAt = this.clock.now() + this.timeoutMs;
    this.#waiting.add(expirable);
  }

  delete(expirable: Expirable): void {
    this.#waiting.delete(expirable);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** When the first of them expires; `undefined` where nothing waits. */
  get nextAt(): number | undefined {
    for (const { expiresAt } of this.#waiting) return expiresAt;
    return undefined;
  }

  sweep(now: number): void {
    for (const expirable of this.#waiting) {
      if (expirable.expiresAt > now) return;
      this.#waiting.delete(expirable);
      expirable.expire();
    }
  }

  /** Settles as `work` does, or rejects with `timeout`. What `work` does later is the caller's to watch. */
  limit<T>(work: Promise<T>, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry: Expirable = {
        expiresAt: 0,
        expire: () => reject(new ChannelsError('timeout', `${what} took longer than ${this.timeoutMs} ms`)),
      };
      this.add(entry);
      void work.then(resolve, reject).finally(() => this.delete(entry));
    });
  }
}

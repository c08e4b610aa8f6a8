import type { Clock } from '../core/clock.interface.js';
import { Deadlines, type Expirable } from '../core/deadlines.js';
import { ChannelsError } from '../core/errors.js';
import { fromRedis } from './redis-error.js';

/** What was asked of Redis and has no answer yet: so much at most, and each for so long at most. */
export class PendingCommands {
  readonly #deadlines: Deadlines;

  constructor(
    clock: Clock,
    private readonly max: number,
    private readonly timeoutMs: number,
  ) {
    this.#deadlines = new Deadlines(clock, timeoutMs);
  }

  /** Settles as the command does, or rejects with `unavailable` where that takes too long. */
  add<T>(command: () => Promise<T>): Promise<T> {
    const { max, timeoutMs } = this;
    if (this.#deadlines.size >= max) {
      return Promise.reject(
        new ChannelsError('unavailable', `${max} commands wait for Redis: maxPending bounds them`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      const entry: Expirable = {
        expiresAt: 0,
        expire: () =>
          reject(
            new ChannelsError(
              'unavailable',
              `Redis has not answered within ${timeoutMs} ms; it may have done it`,
            ),
          ),
      };
      this.#deadlines.add(entry);
      command().then(
        (value) => {
          this.#deadlines.delete(entry);
          resolve(value);
        },
        (error: unknown) => {
          this.#deadlines.delete(entry);
          reject(fromRedis(error) as Error);
        },
      );
    });
  }

  sweep(now: number): void {
    this.#deadlines.sweep(now);
  }
}

import type { Clock } from '../core/clock.interface.js';
import { Deadlines, type Expirable } from '../core/deadlines.js';
import { ChannelsError } from '../core/errors.js';
import { fromRedis } from './redis-error.js';

/** How much may wait for Redis, and for how long. */
export interface PendingLimits {
  readonly maxPending: number;
  readonly maxPendingBytes: number;
  readonly commandTimeoutMs: number;
}

/** What was asked of Redis and has no answer yet: so much at most, and each for so long at most. */
export class PendingCommands {
  readonly #deadlines: Deadlines;
  #bytes = 0;

  constructor(
    clock: Clock,
    private readonly limits: PendingLimits,
  ) {
    this.#deadlines = new Deadlines(clock, limits.commandTimeoutMs);
  }

  /** Settles as the command does, or rejects with `unavailable` where that takes too long, or too much waits. */
  add<T>(command: () => Promise<T>, bytes = 0): Promise<T> {
    const { maxPending, maxPendingBytes, commandTimeoutMs } = this.limits;
    if (this.#deadlines.size >= maxPending) {
      return Promise.reject(unavailable(`${maxPending} commands wait for Redis: maxPending bounds them`));
    }
    if (this.#bytes > 0 && this.#bytes + bytes > maxPendingBytes) {
      return Promise.reject(
        unavailable(`${this.#bytes} bytes wait for Redis: maxPendingBytes (${maxPendingBytes}) bounds them`),
      );
    }
    this.#bytes += bytes;
    return new Promise<T>((resolve, reject) => {
      const late = `Redis has not answered within ${commandTimeoutMs} ms; it may have done it`;
      const entry: Expirable = { expiresAt: 0, expire: () => reject(unavailable(late)) };
      this.#deadlines.add(entry);
      const settle = (): void => {
        this.#deadlines.delete(entry);
        // Not before: what is late still waits in the connection.
        this.#bytes -= bytes;
      };
      command().then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          settle();
          reject(fromRedis(error) as Error);
        },
      );
    });
  }

  sweep(now: number): void {
    this.#deadlines.sweep(now);
  }
}

function unavailable(message: string): ChannelsError {
  return new ChannelsError('unavailable', message);
}

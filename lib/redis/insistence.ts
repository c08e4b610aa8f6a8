import type { Clock, Timer } from '../core/clock.interface.js';
import { ChannelsError, isUnavailable } from '../core/errors.js';
import type { Random } from '../core/random.interface.js';
import { retryDelay } from './connections.js';

/** At once; beyond it nothing is begun that may as well be left. */
const MAX_RUNS = 10_000;

/** Of what is to be sent, in characters: answers that a Redis which is silent has not taken. */
export const MAX_HELD_LENGTH = 67_108_864;

/** Commands that are sent again until Redis has taken them, for they may be sent twice, or until it is too late. */
export class Insistence {
  readonly #pauses = new Map<Timer, () => void>();
  #runs = 0;
  #length = 0;
  #isClosed = false;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly limitMs: number,
  ) {}

  /** Whether what may as well be left should be begun. */
  get hasRoom(): boolean {
    return this.#runs < MAX_RUNS;
  }

  /**
   * Settles as the last try does.
   *
   * @param length - of what is held for it, in characters
   * @throws ChannelsError `unavailable` where too much is held
   */
  async run<T>(command: () => Promise<T>, length = 0): Promise<T> {
    if (this.#length + length > MAX_HELD_LENGTH) {
      throw new ChannelsError(
        'unavailable',
        `${MAX_HELD_LENGTH} characters wait for Redis: no room for more`,
      );
    }
    const endsAt = this.clock.now() + this.limitMs;
    this.#runs++;
    this.#length += length;
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          // Each follows one that has failed.
          // oxlint-disable-next-line no-await-in-loop
          return await command();
        } catch (error) {
          const pauseMs = retryDelay(attempt, this.random);
          if (!isUnavailable(error) || this.clock.now() + pauseMs >= endsAt) throw error;
          // oxlint-disable-next-line no-await-in-loop
          await this.#pause(pauseMs);
          if (this.#isClosed) throw error;
        }
      }
    } finally {
      this.#runs--;
      this.#length -= length;
    }
  }

  /** What waits for its next try fails. */
  close(): void {
    this.#isClosed = true;
    for (const [timer, goOn] of this.#pauses) {
      this.clock.clearTimer(timer);
      goOn();
    }
    this.#pauses.clear();
  }

  #pause(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.clock.setTimeout(() => {
        this.#pauses.delete(timer);
        resolve();
      }, ms);
      this.#pauses.set(timer, resolve);
    });
  }
}

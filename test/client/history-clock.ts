import type { ClientClock } from '../../lib/client/clock.interface.js';

interface Due {
  readonly at: number;
  readonly callback: () => void;
}

/** Far more than a client with manners needs in one history. */
const MOST_TIMERS = 5_000;

/** Time for thousands of histories: as `TestClock`, but nothing real is awaited between two timers. */
export class HistoryClock implements ClientClock {
  readonly #timers = new Map<object, Due>();
  #now = 0;
  #fired = 0;

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): object {
    const timer = {};
    this.#timers.set(timer, { at: this.#now + Math.max(ms, 1), callback });
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as object);
  }

  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await settle();
    for (let next = this.#next(target); next; next = this.#next(target)) {
      const [timer, { at, callback }] = next;
      if (++this.#fired > MOST_TIMERS) throw new Error('a loop without a wait');
      this.#timers.delete(timer);
      this.#now = at;
      callback();
      await settle();
    }
    this.#now = target;
  }

  #next(target: number): [object, Due] | undefined {
    let next: [object, Due] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].at <= target && (!next || entry[1].at < next[1].at)) next = entry;
    }
    return next;
  }
}

/** More turns than the longest chain of promises in the client has links. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

import type { Clock, Timer } from './clock.interface.js';

interface Draining {
  /** Takes itself out where nothing waits any more. */
  flush(): void;
}

/** How often those are looked at that have something waiting for them. No transport tells when it has room again. */
export const DRAIN_CHECK_MS = 20;

/** Writes to those who read slowly what waits for them, as they take it. One timer serves all; without them there is none. */
export class DrainQueue {
  readonly #waiting = new Set<Draining>();
  #timer?: Timer;

  constructor(private readonly clock: Clock) {}

  /** Who has something waiting, however slow. */
  get size(): number {
    return this.#waiting.size;
  }

  /** It is looked at until nothing waits. */
  add(draining: Draining): void {
    this.#waiting.add(draining);
    this.#timer ??= this.clock.setTimeout(this.#check, DRAIN_CHECK_MS);
  }

  /** Nothing is written to it any more. */
  delete(draining: Draining): void {
    if (!this.#waiting.delete(draining) || this.#waiting.size > 0 || !this.#timer) return;
    this.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    for (const draining of this.#waiting) draining.flush();
    if (this.#waiting.size > 0) this.#timer ??= this.clock.setTimeout(this.#check, DRAIN_CHECK_MS);
  };
}

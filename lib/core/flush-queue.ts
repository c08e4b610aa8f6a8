import type { Clock } from './clock.interface.js';

interface Flushable {
  flush(): void;
}

/** Collects what has something to send in this turn of the event loop, and flushes each once at its end. */
export class FlushQueue {
  #waiting: Flushable[] = [];

  constructor(private readonly clock: Clock) {}

  /** What is flushed at the end of this turn. */
  get size(): number {
    return this.#waiting.length;
  }

  add(flushable: Flushable): void {
    if (this.#waiting.length === 0) this.clock.afterTurn(this.#flushAll);
    this.#waiting.push(flushable);
  }

  readonly #flushAll = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const flushable of waiting) flushable.flush();
  };
}

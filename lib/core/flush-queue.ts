import type { Clock } from './clock.interface.js';

interface Flushable {
  flush(): void;
}

/**
 * So many leave before the turn ends while it has brought nothing but answers: what the kernel and the caches hold of
 * those that have asked is still warm, and the peers go on meanwhile. Measured with 200 connections: 3 % less CPU.
 */
export const ANSWERED_AT_ONCE = 32;

/** Collects what has something to send in this turn of the event loop, and flushes each once at its end. */
export class FlushQueue {
  #waiting: Flushable[] = [];
  #isDue = false;
  #hasAnswersOnly = true;

  constructor(private readonly clock: Clock) {}

  /** What is flushed at the end of this turn. */
  get size(): number {
    return this.#waiting.length;
  }

  /** @param isAnswer - to what the peer has asked: it shares nothing with what others get in this turn */
  add(flushable: Flushable, isAnswer: boolean): void {
    if (!this.#isDue) {
      this.#isDue = true;
      this.clock.afterTurn(this.#endTurn);
    }
    if (!isAnswer) this.#hasAnswersOnly = false;
    else if (this.#hasAnswersOnly && this.#waiting.length === ANSWERED_AT_ONCE) this.#flush();
    this.#waiting.push(flushable);
  }

  readonly #endTurn = (): void => {
    this.#isDue = false;
    this.#hasAnswersOnly = true;
    this.#flush();
  };

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const flushable of waiting) flushable.flush();
  }
}

import type { Clock } from './clock.interface.js';

/** Counts what is under way, so that a shutdown can wait for it. */
export class WorkCounter {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** What is under way. */
  get running(): number {
    return this.#running;
  }

  begin(): void {
    this.#running++;
  }

  finish(): void {
    this.#running--;
    if (this.#running > 0) return;
    for (const check of this.#waiting) check();
  }

  /**
   * Resolves when nothing is under way, at the latest after `timeoutMs`. Nothing is, when a turn of
   * the event loop has begun nothing new: what has just finished is still to be answered, and may be
   * followed by more.
   */
  idle(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waiting.delete(check);
        this.clock.clearTimer(timer);
        resolve();
      };
      const check = (): void => this.clock.afterTurn(() => this.#running === 0 && end());
      const timer = this.clock.setTimeout(end, timeoutMs);
      this.#waiting.add(check);
      if (this.#running === 0) check();
    });
  }
}

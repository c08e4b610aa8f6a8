import type { Clock } from './clock.interface.js';

/** Counts the pieces of application code that run, so that a shutdown can wait for them. */
export class WorkCounter {
  #running = 0;
  #waiting: (() => void)[] = [];

  begin(): void {
    this.#running++;
  }

  finish(): void {
    this.#running--;
    if (this.#running > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when nothing runs, at the latest after `timeoutMs`. `true` where it became idle in time. */
  idle(clock: Clock, timeoutMs: number): Promise<boolean> {
    if (this.#running === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve(false), timeoutMs);
      this.#waiting.push(() => {
        clock.clearTimer(timer);
        resolve(true);
      });
    });
  }
}

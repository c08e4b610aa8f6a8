import { BAD_FRAME_WINDOW_MS, MAX_BAD_FRAMES, PLAIN_EXCEPTION_INTERVAL_MS } from '../protocol/index.js';

/** Remembers the bad frames of one connection; made when the first one comes. */
export class FaultLog {
  #times: number[] = [];
  #toldAt = Number.NEGATIVE_INFINITY;

  /** Counts a bad frame. `true` when too many have come within the window. */
  count(now: number): boolean {
    this.#times.push(now);
    if (this.#times.length > MAX_BAD_FRAMES) this.#times.shift();
    const oldest = this.#times[0] ?? now;
    return this.#times.length === MAX_BAD_FRAMES && now - oldest <= BAD_FRAME_WINDOW_MS;
  }

  /** Whether a plain peer may be told again. Counts as telling it. */
  mayTell(now: number): boolean {
    if (now - this.#toldAt < PLAIN_EXCEPTION_INTERVAL_MS) return false;
    this.#toldAt = now;
    return true;
  }
}

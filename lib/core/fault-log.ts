import { BAD_FRAME_WINDOW_MS, MAX_BAD_FRAMES, PLAIN_EXCEPTION_INTERVAL_MS } from '../protocol/index.js';
import { Strikes } from './strikes.js';

/** Remembers the bad frames of one connection; made when the first one comes. */
export class FaultLog {
  readonly #badFrames = new Strikes(MAX_BAD_FRAMES, BAD_FRAME_WINDOW_MS);
  #toldAt = Number.NEGATIVE_INFINITY;

  /** Counts a bad frame. `true` when too many have come within the window. */
  count(now: number): boolean {
    return this.#badFrames.count(now);
  }

  /** Whether a plain peer may be told again. Counts as telling it. */
  mayTell(now: number): boolean {
    if (now - this.#toldAt < PLAIN_EXCEPTION_INTERVAL_MS) return false;
    this.#toldAt = now;
    return true;
  }
}

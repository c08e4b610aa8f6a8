import { setImmediate } from 'node:timers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Timer } from '../core/clock.interface.js';

interface ScheduledTimer {
  readonly callback: () => void;
  readonly dueAt: number;
  /** Set on an interval only. */
  readonly everyMs?: number;
}

/**
 * Time that stands still until it is told to move: what takes minutes in production is tested in
 * milliseconds, and never early or late. Starts at 0. Real I/O can be used beside it.
 *
 * As in Node, a delay below 1 ms counts as 1 ms.
 *
 * @example
 * ```ts
 * const clock = new TestClock();
 * clock.setTimeout(() => client.terminate(), 30_000);
 *
 * await clock.advance(30_000);
 * ```
 *
 * @publicApi
 */
export class TestClock implements Clock {
  // A Map keeps the order of insertion, which decides between timers of the same instant.
  readonly #timers = new Map<Timer, ScheduledTimer>();
  #now = 0;
  /** What the wall clock is ahead by: tokens that a test signs are of now. */
  #wallAheadMs = Date.now();
  #lastAdvance: Promise<void> = Promise.resolve();

  /** Milliseconds by which this clock has been advanced. Inside a callback: the instant of its timer. */
  now(): number {
    return this.#now;
  }

  /** The time of day when this clock was made, moved on as it was advanced, and by {@link stepWall}. */
  wallNow(): number {
    return this.#wallAheadMs + this.#now;
  }

  /** Sets the wall clock alone ahead, or back by a negative number of milliseconds, as an operator or NTP does. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /** Timers that {@link advance} may still fire: timeouts not yet due, and intervals not yet cleared. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Calls `callback` once, when the clock has been advanced by `ms` milliseconds. */
  setTimeout(callback: () => void, ms: number): Timer {
    return this.#schedule(callback, atLeastOne(ms));
  }

  /** Calls `callback` each time the clock has been advanced by `ms` milliseconds, until it is cleared. */
  setInterval(callback: () => void, ms: number): Timer {
    return this.#schedule(callback, atLeastOne(ms), atLeastOne(ms));
  }

  /** Stops a timer. A timer that has fired or was cleared before is ignored. */
  clearTimer(timer: Timer): void {
    this.#timers.delete(timer);
  }

  /** Calls `callback` at the end of the real turn of the event loop, without {@link advance}: I/O beside this clock is real. */
  afterTurn(callback: () => void): void {
    setImmediate(callback);
  }

  /**
   * Moves time on by `ms` milliseconds and fires what falls due on the way, in the order of time, then
   * of insertion. Timers that a callback starts fire too when they fall due. Before, between and after
   * the timers the event loop turns, so that promise chains and sockets move on; that is no guarantee
   * that an answer has arrived, so await what you expect from a socket by itself.
   *
   * Calls do not overlap: a second one begins where the first has ended. `0` fires nothing and lets the
   * event loop turn.
   *
   * Rejects with a `RangeError` when `ms` is negative or not finite, and with whatever a callback throws.
   * After that the clock stands at the instant of the timer that threw, every other timer keeps its own
   * (an interval that threw is armed again), and the next call goes on from there.
   */
  advance(ms: number): Promise<void> {
    const run = this.#lastAdvance.then(() => this.#run(ms));
    // The failure belongs to the caller of that advance, not to the next one in line.
    this.#lastAdvance = run.catch(() => undefined);
    return run;
  }

  #schedule(callback: () => void, delayMs: number, everyMs?: number): Timer {
    const timer: Timer = {};
    this.#timers.set(timer, { callback, dueAt: this.#now + delayMs, everyMs });
    return timer;
  }

  async #run(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0) {
      throw new RangeError(
        `advance: ms (${ms}) must be a finite number of at least 0; time only moves forward.`,
      );
    }
    const target = this.#now + ms;
    await settle();
    for (let due = this.#nextDue(target); due; due = this.#nextDue(target)) {
      this.#fire(...due);
      await settle();
    }
    this.#now = target;
    await settle();
  }

  #nextDue(target: number): [Timer, ScheduledTimer] | undefined {
    let next: [Timer, ScheduledTimer] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].dueAt <= target && (!next || entry[1].dueAt < next[1].dueAt)) next = entry;
    }
    return next;
  }

  #fire(timer: Timer, scheduled: ScheduledTimer): void {
    const { callback, dueAt, everyMs } = scheduled;
    this.#now = dueAt;
    this.#timers.delete(timer);
    // Armed before the call, so that the callback can clear it and survives throwing.
    if (everyMs !== undefined) this.#timers.set(timer, { callback, dueAt: dueAt + everyMs, everyMs });
    callback();
  }
}

/** Not only Node's rule: an interval of 0 would let no advance ever end. `NaN` counts as 1, too. */
function atLeastOne(ms: number): number {
  return ms >= 1 ? ms : 1;
}

/** Two turns: what a socket has received in the first one may write in the second. */
async function settle(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

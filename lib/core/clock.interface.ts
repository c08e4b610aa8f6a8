/** A timer that has been started; pass it back to {@link Clock.clearTimer}. */
export type Timer = object;

/**
 * Time, injected: the engine never reads a clock or starts a timer of its own.
 *
 * @publicApi
 */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. A stepped wall clock does not move it. */
  now(): number;

  /**
   * Milliseconds since the epoch, as `Date.now()`: for times that come from elsewhere, such as the end of a token.
   * May be stepped at any time, in either direction.
   */
  wallNow(): number;

  /** Calls `callback` once, `ms` milliseconds from now. The timer does not keep the process alive. */
  setTimeout(callback: () => void, ms: number): Timer;

  /** Calls `callback` every `ms` milliseconds. The timer does not keep the process alive. */
  setInterval(callback: () => void, ms: number): Timer;

  /** Stops a timer. A timer that has fired or was cleared before is ignored. */
  clearTimer(timer: Timer): void;

  /**
   * Calls `callback` when the current turn of the event loop has handled its input: all that is
   * written in one turn leaves together.
   */
  afterTurn(callback: () => void): void;
}

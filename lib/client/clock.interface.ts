/**
 * Time, injected. `TestClock` of `nestjs-channels/testing` is one.
 *
 * @publicApi
 */
export interface ClientClock {
  /**
   * Milliseconds from an arbitrary start. Never goes back, and should count the time that a machine sleeps: what
   * was sent before it is too old behind it.
   */
  now(): number;
  /** @returns what {@link clearTimer} takes */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Stops a timer. One that has fired, and `undefined`, are ignored. */
  clearTimer(timer: unknown): void;
}

/**
 * Chance, injected.
 *
 * @publicApi
 */
export interface ClientRandom {
  /** A number in `[0, 1)`. Not for secrets. */
  next(): number;
  /** 128 unpredictable bits as 22 to 64 characters of base64url or hex. */
  id(): string;
}

/**
 * Time, injected. `TestClock` of `nestjs-channels/testing` is one.
 *
 * @publicApi
 */
export interface ClientClock {
  /** Milliseconds from an arbitrary start, that a stepped wall clock does not move. */
  now(): number;
  setTimeout(callback: () => void, ms: number): object;
  clearTimer(timer: object): void;
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

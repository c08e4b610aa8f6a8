export interface RetryOptions {
  readonly minRetryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

/**
 * The upper end of the wait before the next attempt. The wait itself is drawn evenly from zero to it
 * ("full jitter", AWS Architecture Blog, Exponential Backoff And Jitter, 2015): of the usual kinds of
 * jitter the one that keeps clients that lost the same server furthest apart.
 *
 * @param failures - in a row, at least 1
 */
export function longestWait(failures: number, { minRetryDelayMs, maxRetryDelayMs }: RetryOptions): number {
  return Math.min(maxRetryDelayMs, minRetryDelayMs * 2 ** (failures - 1));
}

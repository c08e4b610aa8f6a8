import type { WireError } from '../protocol/index.js';
import type { ResolvedClientOptions } from './client-options.js';
import { delayOf } from './server-frame.js';

type RetryOptions = Pick<ResolvedClientOptions, 'minRetryDelayMs' | 'maxRetryDelayMs'>;

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

/** How long to wait after a retryable error: as the server says, or by the backoff. At once is no wait. */
export function waitAfter(error: WireError, refusals: number, options: ResolvedClientOptions): number {
  return delayOf(error, 'retryAfterMs') || options.random.next() * longestWait(refusals, options);
}

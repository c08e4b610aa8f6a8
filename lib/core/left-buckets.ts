import { forgetOldest } from './forget-oldest.js';
import type { TokenBucket } from './token-bucket.js';

/** What a connection may still send. One of a rate that is off is not there. */
export interface Buckets {
  readonly messages?: TokenBucket | undefined;
  readonly bytes?: TokenBucket | undefined;
}

export interface LeftBucketsOptions {
  /** Of one principal: one more, and those that were left first are forgotten. */
  readonly maxConnectionsPerPrincipal: number;
  /** Principals. One more, and the one that was left first is forgotten. */
  readonly maxRateBuckets: number;
}

/**
 * The buckets of connections that have ended, until they are full again. The next connections of their principals go
 * on with them: who comes back has not more than who stays.
 */
export class LeftBuckets {
  readonly #byPrincipal = new Map<string, Buckets[]>();

  constructor(private readonly options: LeftBucketsOptions) {}

  /** Principals that have left some. */
  get size(): number {
    return this.#byPrincipal.size;
  }

  /** Somebody anonymous cannot be known again. */
  leave(principal: string, buckets: Buckets, now: number): void {
    if (principal === '' || isFull(buckets, now)) return;
    const { maxConnectionsPerPrincipal, maxRateBuckets } = this.options;
    let left = this.#byPrincipal.get(principal);
    if (!left) this.#byPrincipal.set(principal, (left = []));
    left.push(buckets);
    if (left.length > maxConnectionsPerPrincipal) left.shift();
    if (this.#byPrincipal.size > maxRateBuckets) forgetOldest(this.#byPrincipal);
  }

  take(principal: string): Buckets | undefined {
    const left = this.#byPrincipal.get(principal);
    if (left?.length === 1) this.#byPrincipal.delete(principal);
    return left?.pop();
  }

  sweep(now: number): void {
    for (const [principal, left] of this.#byPrincipal) {
      const missing = left.filter((buckets) => !isFull(buckets, now));
      if (missing.length === 0) this.#byPrincipal.delete(principal);
      else if (missing.length < left.length) this.#byPrincipal.set(principal, missing);
    }
  }
}

function isFull({ messages, bytes }: Buckets, now: number): boolean {
  return (messages?.isFull(now) ?? true) && (bytes?.isFull(now) ?? true);
}

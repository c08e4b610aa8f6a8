import type { Clock } from './clock.interface.js';
import { forgetOldest } from './forget-oldest.js';
import { keyOf, type RateKey, type RateRule, type RateStore } from './rate-store.interface.js';
import { TokenBucket } from './token-bucket.js';

export interface MemoryRateStoreParts {
  readonly clock: Pick<Clock, 'now'>;
  /** Buckets that are kept. One more, and that which was used the longest time ago is full again. */
  readonly maxBuckets: number;
}

/** The points of principals as one process knows them. */
export class MemoryRateStore implements RateStore {
  /** Of their use the latest stands last. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(private readonly parts: MemoryRateStoreParts) {}

  /** How many buckets are kept. */
  get size(): number {
    return this.#buckets.size;
  }

  take(of: RateKey, rule: RateRule): number {
    const now = this.parts.clock.now();
    const key = keyOf(of);
    const bucket = this.#buckets.get(key) ?? new TokenBucket({ ...rule, burst: rule.points }, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const waitMs = bucket.has(1, now) ? 0 : bucket.msUntil(1, now);
    if (waitMs === 0) bucket.take(1);
    if (this.#buckets.size > this.parts.maxBuckets) forgetOldest(this.#buckets);
    return waitMs;
  }

  /** A full bucket is as good as none. */
  sweep(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.isFull(now)) this.#buckets.delete(key);
    }
  }
}

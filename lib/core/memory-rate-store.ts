import type { Clock } from './clock.interface.js';
import type { RateKey, RateRule, RateStore } from './rate-store.interface.js';
import { TokenBucket } from './token-bucket.js';

export interface MemoryRateStoreParts {
  readonly clock: Pick<Clock, 'now'>;
  /** Buckets that are kept. One more, and that which was used the longest time ago is full again. */
  readonly maxBuckets: number;
}

interface Entry {
  readonly bucket: TokenBucket;
  readonly rule: RateRule;
}

/** The points of principals as one process knows them. */
export class MemoryRateStore implements RateStore {
  /** Of their use the latest stands last. */
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly parts: MemoryRateStoreParts) {}

  /** How many buckets are kept. */
  get size(): number {
    return this.#entries.size;
  }

  take({ name, principal }: RateKey, rule: RateRule): number {
    const now = this.parts.clock.now();
    // No name has a line break.
    const key = `${name}\n${principal}`;
    const bucket = this.#entries.get(key)?.bucket ?? new TokenBucket({ ...rule, burst: rule.points }, now);
    this.#entries.delete(key);
    this.#entries.set(key, { bucket, rule });
    const waitMs = bucket.has(1, now) ? 0 : bucket.msUntil(1, now);
    if (waitMs === 0) bucket.take(1);
    if (this.#entries.size > this.parts.maxBuckets) this.#forgetOldest();
    return waitMs;
  }

  /** A full bucket is as good as none: those go that were not used for long enough. */
  sweep(now: number): void {
    for (const [key, { bucket, rule }] of this.#entries) {
      if (!bucket.has(rule.points, now)) return;
      this.#entries.delete(key);
    }
  }

  #forgetOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}

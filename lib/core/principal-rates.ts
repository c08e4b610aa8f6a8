import type { Clock } from './clock.interface.js';
import { isUnavailable } from './errors.js';
import { forgetOldest } from './forget-oldest.js';
import { MemoryRateStore } from './memory-rate-store.js';
import type { Observers } from './observers.js';
import { keyOf, type RateKey, type RateRule, type RateStore } from './rate-store.interface.js';

export interface PrincipalRatesParts {
  readonly shared: RateStore | undefined;
  readonly observers: Pick<Observers, 'failed'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Buckets and refusals that this process keeps. One more, and the oldest is forgotten. */
  readonly maxRateBuckets: number;
}

/** The points of principals: those of all nodes where the broker has them, else those of this process. */
export class PrincipalRates {
  /** Who has no point before this time: the store is not asked for each message of a flood. */
  readonly #refusedUntil = new Map<string, number>();

  readonly #local: MemoryRateStore;

  constructor(private readonly parts: PrincipalRatesParts) {
    const { clock, maxRateBuckets } = parts;
    this.#local = new MemoryRateStore({ clock, maxBuckets: maxRateBuckets });
  }

  /** Points that this process keeps, and refusals. */
  get size(): number {
    return this.#local.size + this.#refusedUntil.size;
  }

  sweep(now: number): void {
    this.#local.sweep(now);
    for (const [key, until] of this.#refusedUntil) if (until <= now) this.#refusedUntil.delete(key);
  }

  take(key: RateKey, rule: RateRule): Promise<number> | number {
    const { shared, clock } = this.parts;
    if (!shared) return this.#local.take(key, rule);
    const waitMs = (this.#refusedUntil.get(keyOf(key)) ?? 0) - clock.now();
    return waitMs > 0 ? Math.ceil(waitMs) : this.#takeShared(shared, key, rule);
  }

  /** To refuse everybody while the store is away would be worse than to let some have the points of each node. */
  async #takeShared(shared: RateStore, key: RateKey, rule: RateRule): Promise<number> {
    const { observers } = this.parts;
    let waitMs: number;
    try {
      waitMs = await shared.take(key, rule);
    } catch (error) {
      if (!isUnavailable(error)) observers.failed({ where: 'the rate of a principal', error });
      return this.#local.take(key, rule);
    }
    if (waitMs > 0) this.#refuse(keyOf(key), waitMs);
    return waitMs;
  }

  #refuse(key: string, waitMs: number): void {
    this.#refusedUntil.set(key, this.parts.clock.now() + waitMs);
    if (this.#refusedUntil.size > this.parts.maxRateBuckets) forgetOldest(this.#refusedUntil);
  }
}

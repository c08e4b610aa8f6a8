import { isUnavailable } from './errors.js';
import type { MemoryRateStore } from './memory-rate-store.js';
import type { Observers } from './observers.js';
import type { RateKey, RateRule, RateStore } from './rate-store.interface.js';

/** The points of principals: those of all nodes where the broker has them, else those of this process. */
export class PrincipalRates {
  constructor(
    private readonly local: MemoryRateStore,
    private readonly shared: RateStore | undefined,
    private readonly observers: Pick<Observers, 'failed'>,
  ) {}

  /** Principals that this process keeps points of. */
  get size(): number {
    return this.local.size;
  }

  sweep(now: number): void {
    this.local.sweep(now);
  }

  take(key: RateKey, rule: RateRule): Promise<number> | number {
    return this.shared ? this.#takeShared(this.shared, key, rule) : this.local.take(key, rule);
  }

  /** To refuse everybody while the store is away would be worse than to let some have the points of each node. */
  async #takeShared(shared: RateStore, key: RateKey, rule: RateRule): Promise<number> {
    try {
      return await shared.take(key, rule);
    } catch (error) {
      if (!isUnavailable(error)) this.observers.failed({ where: 'the rate of a principal', error });
      return this.local.take(key, rule);
    }
  }
}

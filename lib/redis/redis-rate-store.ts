import { createHash } from 'node:crypto';
import type { RateKey, RateRule, RateStore } from '../core/rate-store.interface.js';
import type { Keys } from './keys.js';
import type { RedisLink } from './redis-link.js';
import { TAKE_POINT } from './scripts/take-point.js';

/** The points of principals, counted by Redis for all nodes that share it. */
export class RedisRateStore implements RateStore {
  constructor(
    private readonly link: Pick<RedisLink, 'run'>,
    private readonly keys: Keys,
  ) {}

  async take({ name, principal }: RateKey, { points, perMs }: RateRule): Promise<number> {
    const hash = createHash('sha256').update(`${name}\n${principal}`).digest('base64url');
    return Number(await this.link.run(TAKE_POINT, [this.keys.rate(hash)], [points, perMs]));
  }
}

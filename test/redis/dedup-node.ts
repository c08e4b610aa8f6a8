import type { DedupRules } from 'nestjs-channels';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../lib/core/clock.interface.js';
import { SystemClock, SystemRandom } from '../../lib/nest/system-clock.js';
import type { RedisDedupOptions } from '../../lib/redis/redis-dedup-options.interface.js';
import { RedisDedupStore } from '../../lib/redis/redis-dedup-store.js';
import { RedisLink } from '../../lib/redis/redis-link.js';
import type { RedisConnection, RedisLinkOptions } from '../../lib/redis/redis-options.interface.js';

export const RULES: DedupRules = { windowMs: 300_000, leaseMs: 30_000, evicted: () => undefined };

export interface DedupNodeOptions extends RedisDedupOptions {
  /** Of the store alone: that of the link is the machine's. */
  readonly clock?: Clock;
  readonly link?: Partial<RedisLinkOptions>;
}

/** A store that is not started yet, with a link of its own that is. */
export interface DedupNode {
  readonly store: RedisDedupStore;
  readonly link: RedisLink;
}

export async function startDedupNode(
  connection: RedisConnection,
  { clock = new SystemClock(), link: options, ...dedup }: DedupNodeOptions = {},
): Promise<DedupNode> {
  const random = new SystemRandom();
  const link = new RedisLink({ connection, ...options });
  const store = new RedisDedupStore(link, dedup);
  onTestFinished(() => link.close());
  await link.start({
    clock: new SystemClock(),
    random,
    stateChanged: () => undefined,
    probed: () => undefined,
  });
  store.attach({ clock, random });
  return { store, link };
}

import { setTimeout } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { SystemRandom } from '../../lib/nest/system-clock.js';
import type { RedisConnection } from '../../lib/redis/redis-options.interface.js';
import { RedisLink } from '../../lib/redis/redis-link.js';
import { PRESENCE_SCRIPTS, RedisPresenceStore } from '../../lib/redis/redis-presence-store.js';
import { quietNode } from '../contract/broker-bench.js';
import type { PresenceBench, PresenceKind } from '../contract/presence-bench.js';

/** Time is real, and a machine may be busy: what is told too early must not be for want of patience. */
export const GRACE_MS = 1_000;
export const LEASE_MS = 2_000;
const SWEEP_MS = 200;

export interface RedisPresenceBench extends PresenceBench {
  readonly prefix: string;
}

/** Two nodes that share a Redis, with keys of their own. */
export async function redisPresence(connection: RedisConnection): Promise<RedisPresenceBench> {
  const prefix = `test-${new SystemRandom().id()}`;
  const links = new Map<unknown, RedisLink>();
  for (let count = 0; count < 2; count++) {
    const link = new RedisLink({ connection, prefix }, PRESENCE_SCRIPTS);
    await link.start(quietNode());
    onTestFinished(() => link.close());
    links.set(new RedisPresenceStore({ link, leaseMs: LEASE_MS, sweepMs: SWEEP_MS }), link);
  }
  return {
    prefix,
    nodes: [...links.keys()] as RedisPresenceStore[],
    pass: (ms) => setTimeout(ms),
    kill: (node) => links.get(node)?.close(),
  };
}

/** @param connection - to a Redis that has started when the tests run */
export function redisPresenceKind(connection: () => RedisConnection): PresenceKind {
  return { nodes: 2, graceMs: GRACE_MS, leaseMs: LEASE_MS, create: () => redisPresence(connection()) };
}

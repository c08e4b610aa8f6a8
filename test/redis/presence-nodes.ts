import { setTimeout } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { ChannelsError } from '../../lib/core/errors.js';
import { SystemRandom } from '../../lib/nest/system-clock.js';
import type { RedisConnection } from '../../lib/redis/redis-options.interface.js';
import { RedisLink } from '../../lib/redis/redis-link.js';
import { RedisPresenceStore, type PresenceLink } from '../../lib/redis/redis-presence-store.js';
import { quietNode } from '../contract/broker-bench.js';
import type { PresenceBench, PresenceKind } from '../contract/presence-bench.js';

/** Time is real, and a machine may be busy: what is told too early must not be for want of patience. */
export const GRACE_MS = 1_000;
export const LEASE_MS = 2_000;
export const SWEEP_MS = 200;

export interface RedisPresenceOptions {
  readonly leaseMs?: number;
  readonly sweepMs?: number;
  readonly commandTimeoutMs?: number;
}

export interface Faults {
  /** It gets no messages. */
  isDeaf: boolean;
  /** How many it did not get. */
  missed: number;
  /** It is not listened for at all: too much waits. */
  isRefused: boolean;
  /** It does nothing by itself. */
  isFrozen: boolean;
  /** How long the answers of Redis take on top. */
  delayMs: number;
  /** How many arguments the longest command had so far. */
  longest: number;
}

export interface RedisPresenceBench extends PresenceBench {
  readonly prefix: string;
  /** What stands between Redis and the first node. */
  readonly faults: Faults;
}

/** Two nodes that share a Redis, with keys of their own. */
export async function redisPresence(
  connection: RedisConnection,
  { leaseMs = LEASE_MS, sweepMs = SWEEP_MS, commandTimeoutMs }: RedisPresenceOptions = {},
): Promise<RedisPresenceBench> {
  const prefix = `test-${new SystemRandom().id()}`;
  const faults = { isDeaf: false, missed: 0, isRefused: false, isFrozen: false, delayMs: 0, longest: 0 };
  const links = new Map<unknown, RedisLink>();
  for (const isFaulty of [true, false]) {
    const link = new RedisLink({ connection, prefix, commandTimeoutMs });
    await link.start(quietNode());
    onTestFinished(() => link.close());
    const parts = { link: isFaulty ? faultyLink(link, faults) : link, leaseMs, sweepMs };
    links.set(new RedisPresenceStore(parts), link);
  }
  return {
    prefix,
    faults,
    nodes: [...links.keys()] as RedisPresenceStore[],
    pass: (ms) => setTimeout(ms),
    kill: (node) => links.get(node)?.close(),
  };
}

/** @param connection - to a Redis that has started when the tests run */
export function redisPresenceKind(connection: () => RedisConnection): PresenceKind {
  return { nodes: 2, graceMs: GRACE_MS, leaseMs: LEASE_MS, create: () => redisPresence(connection()) };
}

/** A link of a node that does not hear, or stands still, while the test says so. */
function faultyLink(link: RedisLink, faults: RedisPresenceBench['faults']): PresenceLink {
  return {
    prefix: link.prefix,
    database: link.database,
    run: async (script, keys, args) => {
      faults.longest = Math.max(faults.longest, args.length);
      const answer = await link.run(script, keys, args);
      if (faults.delayMs > 0) await setTimeout(faults.delayMs);
      return answer;
    },
    listen: async (channel, listener) => {
      if (faults.isRefused) throw new ChannelsError('unavailable', 'too much waits');
      await link.listen(channel, (message, of) => {
        if (faults.isDeaf) faults.missed++;
        else listener(message, of);
      });
    },
    unlisten: (channel) => link.unlisten(channel),
    onBack: (callback) => link.onBack(callback),
    onTick: (callback) => link.onTick((now) => faults.isFrozen || callback(now)),
  };
}

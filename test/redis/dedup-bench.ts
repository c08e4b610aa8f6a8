import { randomUUID } from 'node:crypto';
import { TestClock } from 'nestjs-channels/testing';
import type { RedisConnection } from '../../lib/redis/redis-options.interface.js';
import type { DedupStoreBench } from '../contract/dedup-store.contract.js';
import type { SteppedClock } from '../support/stepped-clock.js';
import { startDedupNode } from './dedup-node.js';

// No whole seconds: the sweep of those who wait must not do what a look at a key has to.
export const WINDOW_MS = 300_500;
export const LEASE_MS = 30_500;

/** A client of a Cluster asks several of its nodes, on a machine that may be busy. */
const START_TIMEOUT_MS = 20_000;

/** When each Redis that was stopped stands, by its clock: for those that serve several tests it only goes on. */
const stoppedAt = new WeakMap<SteppedClock, number>();

/**
 * Two nodes on a Redis whose clock stands still from now on: what is due now is, and what is due in a millisecond
 * is not.
 */
export async function startBench(connection: RedisConnection, redis: SteppedClock): Promise<DedupStoreBench> {
  const step = (ms: number): void => {
    const at = (stoppedAt.get(redis) ?? Date.now()) + ms;
    stoppedAt.set(redis, at);
    redis.stop(at);
  };
  step(0);
  const clock = new TestClock();
  const options = { clock, link: { prefix: randomUUID(), startTimeoutMs: START_TIMEOUT_MS } };
  const one = await startDedupNode(connection, options);
  const two = await startDedupNode(connection, options);
  return {
    nodes: [one.store, two.store],
    pass: (ms) => {
      step(ms);
      return clock.advance(ms);
    },
  };
}

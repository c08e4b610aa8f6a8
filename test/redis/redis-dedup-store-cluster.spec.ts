import { Cluster } from 'ioredis';
import { afterAll, beforeAll, vi } from 'vitest';
import { dedupStoreContract } from '../contract/dedup-store.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { LEASE_MS, startBench, WINDOW_MS } from './dedup-bench.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

/** Redis nodes whose clocks are stepped must not take each other for dead, or start replication anew. */
const PATIENT = { 'cluster-node-timeout': 100_000_000, 'repl-timeout': 100_000 };

const lifetime = untilAfterAll();
let clock: SteppedClock;
let connection: Cluster;

beforeAll(async () => {
  clock = new SteppedClock('wall', lifetime);
  const { startupNodes } = await RedisCluster.start({ lifetime, env: clock.env, config: PATIENT });
  connection = new Cluster(startupNodes, { lazyConnect: true });
});

afterAll(() => connection.disconnect());

dedupStoreContract('RedisDedupStore in a Cluster', {
  windowMs: WINDOW_MS,
  leaseMs: LEASE_MS,
  create: () => startBench(connection, clock),
});

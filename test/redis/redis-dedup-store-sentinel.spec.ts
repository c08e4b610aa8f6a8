import { beforeAll, vi } from 'vitest';
import { dedupStoreContract } from '../contract/dedup-store.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { LEASE_MS, startBench, WINDOW_MS } from './dedup-bench.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const lifetime = untilAfterAll();
let clock: SteppedClock;
let sentinels: RedisSentinels;

beforeAll(async () => {
  clock = new SteppedClock('wall', lifetime);
  const config = { 'repl-timeout': 100_000 };
  sentinels = await RedisSentinels.start({ lifetime, env: clock.env, config });
});

// Sentinels whose clocks are stepped replace nobody; they still say who the master is.
dedupStoreContract('RedisDedupStore with Sentinels', {
  windowMs: WINDOW_MS,
  leaseMs: LEASE_MS,
  create: () => startBench({ sentinels: [...sentinels.addresses], name: sentinels.name }, clock),
});

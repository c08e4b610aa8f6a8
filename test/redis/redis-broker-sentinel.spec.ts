import { randomUUID } from 'node:crypto';
import { setTimeout as passes } from 'node:timers/promises';
import { beforeAll, vi } from 'vitest';
import { RedisBroker } from '../../lib/redis/index.js';
import { brokerContract } from '../contract/broker.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const lifetime = untilAfterAll();
let sentinels: RedisSentinels;

beforeAll(async () => {
  sentinels = await RedisSentinels.start({ lifetime });
});

brokerContract('RedisBroker with Sentinels', {
  nodes: 2,
  // Sentinels whose clocks are stepped stop to work for a while.
  ttlMs: 2_000,
  create: () => {
    const options = {
      connection: { sentinels: [...sentinels.addresses], name: sentinels.name },
      prefix: randomUUID(),
    };
    return { nodes: [new RedisBroker(options), new RedisBroker(options)], pass: (ms) => passes(ms) };
  },
});

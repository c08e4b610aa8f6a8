import { randomUUID } from 'node:crypto';
import { setTimeout as passes } from 'node:timers/promises';
import { beforeAll, vi } from 'vitest';
import { RedisBroker, type RedisConnection } from '../../lib/redis/index.js';
import { brokerContract } from '../contract/broker.contract.js';
import { channelRegistryContract } from '../contract/channel-registry.contract.js';
import { nodesContract } from '../contract/nodes.contract.js';
import { presenceStoreContract } from '../contract/presence-store.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';
import { redisNodesKind, redisRegistryKind } from './nodes-bench.js';
import { redisPresenceKind } from './presence-nodes.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const lifetime = untilAfterAll();
let sentinels: RedisSentinels;

beforeAll(async () => {
  sentinels = await RedisSentinels.start({ lifetime });
});

function connection(): RedisConnection {
  return { sentinels: [...sentinels.addresses], name: sentinels.name };
}

brokerContract('RedisBroker with Sentinels', {
  nodes: 2,
  // Sentinels whose clocks are stepped stop to work for a while.
  ttlMs: 2_000,
  create: () => {
    const options = { connection: connection(), prefix: randomUUID() };
    return { nodes: [new RedisBroker(options), new RedisBroker(options)], pass: (ms) => passes(ms) };
  },
});

presenceStoreContract('RedisPresenceStore with Sentinels', redisPresenceKind(connection));

nodesContract('RedisNodes with Sentinels', redisNodesKind(connection));

channelRegistryContract('RedisChannelRegistry with Sentinels', redisRegistryKind(connection));

import { randomUUID } from 'node:crypto';
import { setTimeout as passes } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, vi } from 'vitest';
import { RedisBroker } from '../../lib/redis/index.js';
import { brokerContract } from '../contract/broker.contract.js';
import { channelRegistryContract } from '../contract/channel-registry.contract.js';
import { nodesContract } from '../contract/nodes.contract.js';
import { presenceStoreContract } from '../contract/presence-store.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { redisNodesKind, redisRegistryKind } from './nodes-bench.js';
import { redisPresenceKind } from './presence-nodes.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const lifetime = untilAfterAll();
let connection: Cluster;

beforeAll(async () => {
  const { startupNodes } = await RedisCluster.start({ lifetime });
  connection = new Cluster(startupNodes, { lazyConnect: true });
});

afterAll(() => connection.disconnect());

brokerContract('RedisBroker in a Cluster', {
  nodes: 2,
  // Redis nodes whose clocks are stepped take each other for dead.
  ttlMs: 2_000,
  create: () => {
    const prefix = randomUUID();
    return {
      nodes: [new RedisBroker({ connection, prefix }), new RedisBroker({ connection, prefix })],
      pass: (ms) => passes(ms),
    };
  },
});

presenceStoreContract(
  'RedisPresenceStore in a Cluster',
  redisPresenceKind(() => connection),
);

nodesContract(
  'RedisNodes in a Cluster',
  redisNodesKind(() => connection),
);

channelRegistryContract(
  'RedisChannelRegistry in a Cluster',
  redisRegistryKind(() => connection),
);

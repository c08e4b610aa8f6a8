import { Cluster } from 'ioredis';
import { afterAll, beforeAll, vi } from 'vitest';
import { channelRegistryContract } from '../contract/channel-registry.contract.js';
import { nodesContract } from '../contract/nodes.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { redisNodesKind, redisRegistryKind } from './nodes-bench.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const lifetime = untilAfterAll();
let connection: Cluster;

beforeAll(async () => {
  const { startupNodes } = await RedisCluster.start({ lifetime });
  connection = new Cluster(startupNodes, { lazyConnect: true });
});

afterAll(() => connection.disconnect());

nodesContract(
  'RedisNodes in a Cluster',
  redisNodesKind(() => connection),
);

channelRegistryContract(
  'RedisChannelRegistry in a Cluster',
  redisRegistryKind(() => connection),
);

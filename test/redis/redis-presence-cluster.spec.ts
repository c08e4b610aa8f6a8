import { Cluster } from 'ioredis';
import { afterAll, beforeAll, vi } from 'vitest';
import { presenceStoreContract } from '../contract/presence-store.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { redisPresenceKind } from './presence-nodes.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const lifetime = untilAfterAll();
let connection: Cluster;

beforeAll(async () => {
  const { startupNodes } = await RedisCluster.start({ lifetime });
  connection = new Cluster(startupNodes, { lazyConnect: true });
});

afterAll(() => connection.disconnect());

presenceStoreContract(
  'RedisPresenceStore in a Cluster',
  redisPresenceKind(() => connection),
);

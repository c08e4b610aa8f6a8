import { beforeAll, vi } from 'vitest';
import type { RedisConnection } from '../../lib/redis/index.js';
import { channelRegistryContract } from '../contract/channel-registry.contract.js';
import { nodesContract } from '../contract/nodes.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';
import { redisNodesKind, redisRegistryKind } from './nodes-bench.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const lifetime = untilAfterAll();
let sentinels: RedisSentinels;

beforeAll(async () => {
  sentinels = await RedisSentinels.start({ lifetime });
});

function connection(): RedisConnection {
  return { sentinels: [...sentinels.addresses], name: sentinels.name };
}

nodesContract('RedisNodes with Sentinels', redisNodesKind(connection));

channelRegistryContract('RedisChannelRegistry with Sentinels', redisRegistryKind(connection));

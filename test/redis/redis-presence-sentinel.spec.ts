import { beforeAll, vi } from 'vitest';
import { presenceStoreContract } from '../contract/presence-store.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';
import { redisPresenceKind } from './presence-nodes.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const lifetime = untilAfterAll();
let sentinels: RedisSentinels;

beforeAll(async () => {
  sentinels = await RedisSentinels.start({ lifetime });
});

presenceStoreContract(
  'RedisPresenceStore with Sentinels',
  redisPresenceKind(() => ({ sentinels: [...sentinels.addresses], name: sentinels.name })),
);

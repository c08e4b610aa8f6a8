import { beforeAll } from 'vitest';
import { presenceStoreContract } from '../contract/presence-store.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { redisPresenceKind } from './presence-nodes.js';

const lifetime = untilAfterAll();
let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ lifetime });
});

presenceStoreContract(
  'RedisPresenceStore',
  redisPresenceKind(() => server.url),
);

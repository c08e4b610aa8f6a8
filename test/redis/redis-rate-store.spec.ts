import { randomUUID } from 'node:crypto';
import { setTimeout as passes } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { Keys } from '../../lib/redis/keys.js';
import { RedisRateStore } from '../../lib/redis/redis-rate-store.js';
import { rateStoreContract } from '../contract/rate-store.contract.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { startLink } from './nodes-bench.js';

const lifetime = untilAfterAll();
let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start({ lifetime });
});

async function createStore(prefix: string): Promise<RedisRateStore> {
  return new RedisRateStore(await startLink({ connection: server.url, prefix }), new Keys(prefix));
}

rateStoreContract('RedisRateStore', {
  create: async () => {
    const prefix = randomUUID();
    // The clock of Redis is its own; a point that is there in 100 ms may take one more.
    return { stores: [await createStore(prefix), await createStore(prefix)], pass: (ms) => passes(ms + 5) };
  },
});

it('leaves nothing behind of a bucket that is full again', async () => {
  const prefix = randomUUID();
  const store = await createStore(prefix);

  await store.take({ name: 'say', principal: 'ada' }, { points: 10, perMs: 500 });
  const [key] = (await server.run('keys', `${prefix}:*`)) as string[];

  expect(Number(await server.run('pttl', key ?? ''))).toBeLessThanOrEqual(50);
  await expect.poll(() => server.run('keys', `${prefix}:*`)).toEqual([]);
});

it('gives nothing for a clock that was set back', async () => {
  const prefix = randomUUID();
  const store = await createStore(prefix);
  const rule = { points: 2, perMs: 3_600_000 };
  await store.take({ name: 'say', principal: 'ada' }, rule);
  const [key] = (await server.run('keys', `${prefix}:*`)) as string[];

  const later = Date.now() + 3_600_000;
  await server.run('set', key ?? '', `3600000 ${later}`);
  const taken = [
    await store.take({ name: 'say', principal: 'ada' }, rule),
    await store.take({ name: 'say', principal: 'ada' }, rule),
  ];

  expect(taken[0]).toBe(0);
  expect(taken[1]).toBeGreaterThan(1_700_000);
});

import { RedisBroker } from 'nestjs-channels/redis';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SystemClock, SystemRandom } from '../../lib/nest/system-clock.js';
import { Keys } from '../../lib/redis/keys.js';
import { RedisRevocationStore } from '../../lib/redis/redis-revocation-store.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { eventually } from '../support/redis/eventually.js';
import { TokenRig, tokenOf } from '../support/token-rig.js';
import { startLink } from './nodes-bench.js';

/** The bar: out on all nodes within a second. */
const BAR_MS = 1_000;
const START_TIMEOUT_MS = 20_000;

/** A look every half second, and a machine on which others run. */
const LOOK_BAR_MS = 5_000;

/** Real time, in a form that the rig takes. */
function realTime(): TestClock {
  return new SystemClock() as unknown as TestClock;
}

async function node(redis: RedisServer, prefix?: string): Promise<TokenRig> {
  const broker = new RedisBroker({ connection: redis.url, startTimeoutMs: START_TIMEOUT_MS, prefix });
  return TokenRig.start({ broker }, realTime());
}

describe('two nodes on one Redis', () => {
  it('have a revoked user out within a second, and in nowhere again, not by a resume either', async () => {
    const redis = await RedisServer.start();
    const [one, two] = [await node(redis), await node(redis)];
    const clients = [await one.enter(600), await two.enter(600), await two.enter(600)];
    const bob = await two.enter(600, { sub: 'bob' });
    const { data } = await (clients[1] as (typeof clients)[1]).subscribe('room:a');
    const since = data as { epoch: string; offset: number };

    const began = performance.now();
    const revoking = one.app.channels.revoke({ principal: 'ada' });
    const closes = await Promise.all(clients.map(({ closed }) => closed));
    const tookMs = performance.now() - began;
    const answer = await revoking;
    await one.app.channels.publish('room:a', 'news', 'not for ada');
    const later = await node(redis);
    const returned = await Promise.all(
      [one, two, later].map(async ({ app }) => {
        const client = await app.connect('/ws', { token: tokenOf({ sub: 'ada' }) });
        // What a client that resumes would say: nothing of it is read.
        client.sendRaw(JSON.stringify({ event: '$subscribe', id: 1, data: { channel: 'room:a', since } }));
        const { code } = await client.closed;
        return { code, frames: client.frames };
      }),
    );

    expect(closes.map(({ code }) => code)).toEqual([4503, 4503, 4503]);
    expect(tookMs).toBeLessThan(BAR_MS);
    expect(answer.disconnected).toBe(3);
    expect(returned).toEqual([1, 2, 3].map(() => ({ code: 4503, frames: [] })));
    expect((await bob.request('who')).data).toMatchObject({ sub: 'bob' });
  });

  it('find by themselves what nobody has told them', async () => {
    const redis = await RedisServer.start();
    const prefix = 'untold';
    const two = await node(redis, prefix);
    const client = await two.enter(600);
    // A store without a node: it asks nobody.
    const link = await startLink({ connection: redis.url, prefix });
    const store = new RedisRevocationStore(link, new Keys(prefix));
    onTestFinished(() => store.close());
    await store.start({
      clock: new SystemClock(),
      random: new SystemRandom(),
      maxRevocations: 10,
      found: () => undefined,
      failed: () => undefined,
    });

    const began = performance.now();
    const revokedAt = Date.now();
    await store.add({ target: { principal: 'ada' }, revokedAt, until: revokedAt + 600_000 });
    const { code } = await client.closed;

    expect(code).toBe(4503);
    expect(performance.now() - began).toBeLessThan(LOOK_BAR_MS);
  });

  it('find what they were not told when they are back', async () => {
    const redis = await RedisServer.start();
    const [one, two] = [await node(redis), await node(redis)];
    const client = await two.enter(600);

    // The question of a revocation has no other way than this channel of Redis.
    const revoking = await eventually('the node is deaf', async () => {
      await redis.run('client', 'kill', 'type', 'pubsub');
      return one.app.channels.revoke({ principal: 'ada' });
    });

    expect(revoking.nodes.missing).not.toEqual([]);
    expect(await client.closed).toMatchObject({ code: 4503 });
  });

  it('go on without Redis by what they know, and tell who revokes that nobody else knows it', async () => {
    const redis = await RedisServer.start();
    const [one, two] = [await node(redis), await node(redis)];
    await one.app.channels.revoke({ principal: 'eve' });
    const here = await one.enter(600);
    const there = await two.enter(600);
    await redis.kill();

    const rejected = one.app.channels.revoke({ principal: 'ada' });
    await expect(rejected).rejects.toMatchObject({ code: 'unavailable' });
    const codes = await Promise.all(
      [one, two].map(async ({ app }) => {
        const client = await app.connect('/ws', { token: tokenOf({ sub: 'eve' }) });
        return (await client.closed).code;
      }),
    );
    const stays = (await there.request('who')).data;
    await redis.restart();

    expect(await here.closed).toMatchObject({ code: 4503 });
    expect(codes).toEqual([4503, 4503]);
    expect(stays).toMatchObject({ sub: 'ada' });
    // Told as soon as Redis is back.
    expect(await there.closed).toMatchObject({ code: 4503 });
  });
});

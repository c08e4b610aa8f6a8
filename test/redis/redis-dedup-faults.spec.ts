import type { DedupKey, StoredAnswer } from 'nestjs-channels';
import { FaultProxy, TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { RULES, startDedupNode, type DedupNodeOptions } from './dedup-node.js';

const KEY: DedupKey = { principal: 'ada', clientId: 'c'.repeat(22), id: '1', contentHash: 'hash' };
const DONE: StoredAnswer = { type: 'data', data: '"done"' };
const UNAVAILABLE = { name: 'ChannelsError', code: 'unavailable' };

async function start(options?: DedupNodeOptions) {
  const server = await RedisServer.start();
  const node = await startDedupNode(server.url, options);
  const { store } = node;
  store.start(RULES);
  onTestFinished(() => store.close());
  const claim = async (key = KEY): Promise<number> => {
    const claimed = await store.claim(key);
    if (claimed.type !== 'claimed') throw new Error(`expected a claim, got ${claimed.type}`);
    return claimed.fence;
  };
  return { ...node, server, claim };
}

/** Two nodes, of which the first reaches Redis through a proxy, and takes a silent one for away soon. */
async function startBehindProxy() {
  const server = await RedisServer.start();
  const proxy = await FaultProxy.start({ target: { port: server.port } });
  onTestFinished(() => proxy.close());
  const { store } = await startDedupNode(`redis://127.0.0.1:${proxy.port}`, {
    link: { commandTimeoutMs: 1_500 },
  });
  const { store: other } = await startDedupNode(server.url);
  for (const each of [store, other]) {
    each.start(RULES);
    onTestFinished(() => each.close());
  }
  return { server, proxy, store, other };
}

/** Refuses whatever needs memory. */
const fill = (server: RedisServer): Promise<unknown> => server.run('config', 'set', 'maxmemory', '1');
const empty = (server: RedisServer): Promise<unknown> => server.run('config', 'set', 'maxmemory', '0');

describe('a claim', () => {
  it('is refused with unavailable while Redis is away, and given when it is back', async () => {
    const { server, store } = await start();
    await server.kill();

    await expect(store.claim(KEY)).rejects.toMatchObject(UNAVAILABLE);
    await server.restart();

    expect(await eventually('it is given', () => store.claim(KEY))).toMatchObject({ type: 'claimed' });
  });

  it('is refused with unavailable while Redis is full, and leaves nothing there', async () => {
    const { server, store } = await start();
    await fill(server);

    await expect(store.claim(KEY)).rejects.toMatchObject(UNAVAILABLE);

    expect(await server.run('dbsize')).toBe(0);
    await empty(server);
    expect(await store.claim(KEY)).toMatchObject({ type: 'claimed' });
  });

  it('that Redis has given, but could not say so, is given back', async () => {
    const { server, proxy, store, other } = await startBehindProxy();
    proxy.blackHole('toClient');
    const claim = store.claim(KEY).catch((error: unknown) => error);
    await eventually('Redis has given it', async () => (await server.run('dbsize')) === 1, 1_000);
    proxy.blackHole();
    const refusal = await claim;

    const before = await other.claim(KEY);
    proxy.heal();

    expect([refusal, before]).toMatchObject([UNAVAILABLE, { type: 'running' }]);
    await eventually('the next copy may run', async () => (await other.claim(KEY)).type === 'claimed');
  });

  it('lives on with its fence where Redis is asked again', async () => {
    const { server, store, claim } = await start();
    const fence = await claim();
    await server.save();

    await server.kill();
    await expect(store.renew(KEY, fence)).rejects.toMatchObject(UNAVAILABLE);
    await server.restart();

    expect(await eventually('it is renewed', () => store.renew(KEY, fence))).toBe(true);
  });
});

describe('an answer', () => {
  it('is kept as soon as Redis is back, which was away when it came', async () => {
    const { server, store, claim } = await start();
    const fence = await claim();
    await server.save();
    await server.kill();

    const resolved = store.resolve(KEY, fence, DONE);
    // It is away indeed.
    await expect(store.renew(KEY, fence)).rejects.toMatchObject(UNAVAILABLE);
    await server.restart();

    expect(await resolved).toBe(true);
    expect(await store.claim(KEY)).toEqual({ type: 'answered', answer: DONE });
  });

  it('is kept as soon as Redis has room', async () => {
    const { server, store, claim } = await start();
    const fence = await claim();
    await fill(server);

    const resolved = store.resolve(KEY, fence, DONE);
    await expect(store.claim({ ...KEY, id: '2' })).rejects.toMatchObject(UNAVAILABLE);
    await empty(server);

    expect(await resolved).toBe(true);
    expect(await store.claim(KEY)).toEqual({ type: 'answered', answer: DONE });
  });

  it('that Redis has kept, but could not say so, is not taken for lost', async () => {
    const { proxy, store, other } = await startBehindProxy();
    const claim = await store.claim(KEY);
    proxy.blackHole('toClient');

    const resolved = store.resolve(KEY, claim.type === 'claimed' ? claim.fence : 0, DONE);
    await eventually('it is kept', async () => (await other.claim(KEY)).type === 'answered');
    proxy.reset();
    proxy.heal();

    expect(await resolved).toBe(true);
  });

  it('is given up when its claim must have lapsed', async () => {
    const clock = new TestClock();
    const { server, store, claim } = await start({ clock });
    const fence = await claim();
    await server.kill();
    let hasEnded = false;
    const resolved = store.resolve(KEY, fence, DONE).finally(() => (hasEnded = true));
    const outcome = resolved.catch((error: unknown) => error);

    await clock.advance(RULES.leaseMs - 2_500);
    const before = hasEnded;
    await clock.advance(2_500);

    expect(await outcome).toMatchObject(UNAVAILABLE);
    expect([before, clock.pendingTimers]).toEqual([false, 0]);
  });

  it('does not keep a node from its shutdown', async () => {
    const clock = new TestClock();
    const { server, store, claim } = await start({ clock });
    const fence = await claim();
    await server.kill();
    const outcome = store.resolve(KEY, fence, DONE).catch((error: unknown) => error);

    store.close();

    expect(await outcome).toMatchObject(UNAVAILABLE);
    expect(clock.pendingTimers).toBe(0);
    await expect(store.claim(KEY)).rejects.toMatchObject(UNAVAILABLE);
  });
});

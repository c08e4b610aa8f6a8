import fc from 'fast-check';
import type { DedupKey, DedupStore, StoredAnswer } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../support/redis/redis-server.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { RULES, startDedupNode } from './dedup-node.js';
import { DedupWorld, HISTORIES } from './dedup-world.js';

const DONE: StoredAnswer = { type: 'data', data: '"done"' };
const HOUR_MS = 3_600_000;
/** Of some hundred steps each. */
const RUNS = 12;

/** Two nodes on a Redis whose clock the test moves. */
async function start() {
  const serverClock = new SteppedClock();
  let now = Date.now();
  serverClock.stop(now);
  const server = await RedisServer.start({ env: serverClock.env });
  const clock = new TestClock();
  const nodes = [await startDedupNode(server.url, { clock }), await startDedupNode(server.url, { clock })];
  for (const { store } of nodes) {
    store.start(RULES);
    onTestFinished(() => store.close());
  }
  return {
    server,
    clock,
    store: nodes[0]?.store as DedupStore,
    other: nodes[1]?.store as DedupStore,
    /** Moves the clock of Redis alone, back as well. */
    step: (ms: number) => serverClock.stop((now += ms)),
    /** The names of all keys. */
    names: async () => (await server.run('keys', '*')) as string[],
  };
}

function keyOf(id: string): DedupKey {
  return { principal: 'ada', clientId: 'c'.repeat(22), id, contentHash: '' };
}

const KEY = keyOf('1');

async function claim(store: DedupStore, key = KEY): Promise<number> {
  const claimed = await store.claim(key);
  if (claimed.type !== 'claimed') throw new Error(`expected a claim, got ${claimed.type}`);
  return claimed.fence;
}

describe('a key of Redis', () => {
  it.each([
    ['a star', '*'],
    ['braces', '{a}'],
    ['a line break and NUL', '\r\n\0'],
    ['a lone surrogate', '\ud800'],
    ['10,000 characters', 'x'.repeat(10_000)],
  ])('has a short name of letters, whatever is in the id: %s', async (_what, id) => {
    const { store, names } = await start();

    await claim(store, keyOf(id));

    expect(await names()).toEqual([expect.stringMatching(/^channels:\{dedup:[\w-]{43}\}$/)]);
  });

  it('has nothing of the content of a message, however short', async () => {
    const { server, store, names } = await start();

    await claim(store, { ...KEY, contentHash: '["pin",{"pin":1234}]' });

    const [name] = await names();
    const kept = JSON.stringify(await server.run('hgetall', name as string));
    expect(kept).toMatch(/"h":"[\w-]{43}"/);
    expect(kept).not.toContain('1234');
  });

  it('is not the same for lone surrogates that UTF-8 has one text for', async () => {
    const { store } = await start();
    await claim(store, keyOf('\ud800'));

    expect(await store.claim(keyOf('\ud801'))).toMatchObject({ type: 'claimed' });
  });

  it.each<[state: string, bring: (store: DedupStore) => Promise<unknown>]>([
    ['running', (store) => claim(store)],
    ['answered', async (store) => store.resolve(KEY, await claim(store), DONE)],
    ['released', async (store) => store.release(KEY, await claim(store))],
  ])('has an end while it is %s', async (_state, bring) => {
    const { server, store, names } = await start();

    await bring(store);

    for (const name of await names()) expect(await server.run('pttl', name)).toBeGreaterThan(0);
  });

  it('does not hold up its message where its end was lost', async () => {
    const { server, store, other, names } = await start();
    await claim(store);

    for (const name of await names()) await server.run('persist', name);

    expect((await other.claim(KEY)).type).toBe('claimed');
    for (const name of await names()) expect(await server.run('pttl', name)).toBe(RULES.leaseMs);
  });
});

describe('a clock of Redis that is set back', () => {
  it('keeps a claim for a lease from then on, and not until the old time has come again', async () => {
    const { store, other, step } = await start();
    await claim(store);
    step(-HOUR_MS);

    const at = await other.claim(KEY);
    step(RULES.leaseMs);

    expect([at.type, (await other.claim(KEY)).type]).toEqual(['running', 'claimed']);
  });

  it('keeps an answer for a window from then on', async () => {
    const { store, other, step } = await start();
    await store.resolve(KEY, await claim(store), DONE);
    step(-HOUR_MS);

    const at = await other.claim(KEY);
    step(RULES.windowMs);

    expect([at.type, (await other.claim(KEY)).type]).toEqual(['answered', 'claimed']);
  });

  it('does not give a fence again, or a lower one', async () => {
    const { store, other, step } = await start();
    const fence = await claim(store);
    await store.release(KEY, fence);
    step(-HOUR_MS);

    expect(await claim(other)).toBe(fence + 1);
  });
});

describe('a claim whose key Redis has lost', () => {
  it('can store nothing over the claim that has followed', async () => {
    const { server, store, other, step } = await start();
    const lost = await claim(store);
    await server.run('flushall');
    step(1);
    const fence = await claim(other);

    const answers = [await store.renew(KEY, lost), await store.resolve(KEY, lost, DONE)];
    await store.release(KEY, lost);

    expect(answers).toEqual([false, false]);
    expect(fence).toBeGreaterThan(lost);
    expect(await other.resolve(KEY, fence, DONE)).toBe(true);
  });
});

describe('a claim whose key is gone while its handler runs', () => {
  type Node = Awaited<ReturnType<typeof start>>;

  it.each<[what: string, lose: (node: Node) => Promise<unknown>]>([
    ['Redis has lost it', ({ server }) => server.run('flushall')],
    ['it has lapsed', async ({ step }) => step(RULES.leaseMs)],
  ])('is taken again where %s, and no copy runs', async (_what, lose) => {
    const node = await start();
    const { store, other } = node;
    const fence = await claim(store);
    await lose(node);

    const isRenewed = await store.renew(KEY, fence);
    const copy = await other.claim(KEY);
    await lose(node);
    const isStored = await store.resolve(KEY, fence, DONE);

    expect([isRenewed, copy.type, isStored]).toEqual([true, 'running', true]);
    expect(await other.claim(KEY)).toEqual({ type: 'answered', answer: DONE });
    expect(await other.claim({ ...KEY, contentHash: 'another' })).toEqual({ type: 'conflict' });
  });

  it('is kept for a lease, and an answer for a window', async () => {
    const { server, store, names } = await start();
    const fence = await claim(store);
    await server.run('flushall');
    const ttls = async (): Promise<unknown[]> =>
      Promise.all((await names()).map((name) => server.run('pttl', name)));

    await store.renew(KEY, fence);
    const ofClaim = await ttls();
    await server.run('flushall');
    await store.resolve(KEY, fence, DONE);

    expect([ofClaim, await ttls()]).toEqual([[RULES.leaseMs], [RULES.windowMs]]);
  });

  it('is not taken again when it was released', async () => {
    const { store, other } = await start();
    const fence = await claim(store);
    await store.release(KEY, fence);

    expect([await store.renew(KEY, fence), await store.resolve(KEY, fence, DONE)]).toEqual([false, false]);
    expect((await other.claim(KEY)).type).toBe('claimed');
  });

  it('gives way to a higher fence than the one it was taken again under', async () => {
    const { server, store, other, step } = await start();
    const fence = await claim(store);
    await server.run('flushall');
    step(-HOUR_MS);
    await store.renew(KEY, fence);

    await store.release(KEY, fence);

    expect(await claim(other)).toBe(fence + 1);
  });
});

describe('keys that are deleted at random', () => {
  it('let a copy run again at once, and never two of them store', { timeout: 60_000 }, async () => {
    const { server, store, other, step, names } = await start();
    let deleted = 0;

    await fc.assert(
      fc.asyncProperty(HISTORIES, async (history) => {
        await server.run('flushall');
        const world = new DedupWorld([store, other], {
          step,
          names,
          delete: async (name) => Number(await server.run('del', name)),
        });
        await world.begin();
        for (const [act, node, id] of history) await world.take(act, node, id);
        await world.end();
        deleted += world.deleted;
      }),
      { numRuns: RUNS },
    );

    expect(deleted).toBeGreaterThanOrEqual(1_000);
  });
});

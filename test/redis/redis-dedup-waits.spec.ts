import type { DedupKey } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { RULES, startDedupNode, type DedupNodeOptions } from './dedup-node.js';

const MAX = 3;

/** Longer than from one look to the next. */
const LOOKS_MS = 2_500;

/** Two nodes: one that runs a message, and one where copies of it wait. */
async function start(options?: DedupNodeOptions) {
  const server = await RedisServer.start();
  const clock = new TestClock();
  const { store: runs } = await startDedupNode(server.url);
  const { store: waits, link } = await startDedupNode(server.url, { clock, ...options });
  for (const store of [runs, waits]) {
    store.start(RULES);
    onTestFinished(() => store.close());
  }
  return {
    server,
    clock,
    runs,
    waits,
    link,
    channels: async () => (await server.run('pubsub', 'channels', '*dedup*')) as string[],
    /** The hash of the only key there is, when somebody has asked to be told of its end. */
    awaited: () =>
      eventually('somebody waits', async () => {
        const [hash] = (await server.run('keys', '*')) as string[];
        return hash !== undefined && (await server.run('hexists', hash, 'w')) === 1 && hash;
      }),
  };
}

function keyOf(id: number): DedupKey {
  return { principal: 'ada', clientId: 'c'.repeat(22), id: String(id), contentHash: '' };
}

/** Waits, and tells when that is over. */
function follow(wait: Promise<void>): { readonly wait: Promise<void>; isOver: boolean } {
  const followed = { wait, isOver: false };
  void wait.then(() => (followed.isOver = true));
  return followed;
}

async function claim(store: { claim: (key: DedupKey) => unknown }, id = 1): Promise<number> {
  const claimed = (await store.claim(keyOf(id))) as { readonly fence: number };
  return claimed.fence;
}

describe('a copy that waits', () => {
  it('is woken by a message, without a look', async () => {
    const { runs, waits, awaited } = await start();
    const fence = await claim(runs);
    const wait = waits.wait(keyOf(1), new AbortController().signal);
    await awaited();

    await runs.resolve(keyOf(1), fence, { type: 'data' });

    // Its clock stands still: it never looks again.
    await expect(wait).resolves.toBeUndefined();
  });

  it('finds the end by itself where the message is lost', async () => {
    const { server, clock, runs, waits, awaited } = await start();
    const fence = await claim(runs);
    const copy = follow(waits.wait(keyOf(1), new AbortController().signal));
    // Nobody is told then.
    await server.run('hdel', await awaited(), 'w');
    await runs.resolve(keyOf(1), fence, { type: 'data' });
    await server.run('ping');
    const isToldNothing = !copy.isOver;

    await clock.advance(LOOKS_MS);
    await copy.wait;

    expect(isToldNothing).toBe(true);
  });

  it('finds the end where the subscriber connection was lost meanwhile', async () => {
    const { server, clock, runs, waits, awaited, link } = await start();
    const fence = await claim(runs);
    const copy = follow(waits.wait(keyOf(1), new AbortController().signal));
    await awaited();
    const back = new Promise<void>((resolve) => link.onBack(resolve));

    await server.run('client', 'kill', 'type', 'pubsub');
    await runs.resolve(keyOf(1), fence, { type: 'data' });
    await back;
    const isToldNothing = !copy.isOver;
    await clock.advance(500);
    await copy.wait;

    expect(isToldNothing).toBe(true);
  });

  it('waits on while Redis is away, and is woken when its claim was lost with it', async () => {
    const { server, clock, runs, waits, awaited } = await start();
    await claim(runs);
    const copy = follow(waits.wait(keyOf(1), new AbortController().signal));
    await awaited();

    await server.kill();
    await clock.advance(LOOKS_MS);
    const whileAway = copy.isOver;
    await server.restart();
    await eventually('it has looked', async () => {
      await clock.advance(LOOKS_MS);
      return copy.isOver;
    });

    expect(whileAway).toBe(false);
  });

  it('listens once with all others of its message, and no longer than the last of them', async () => {
    const { runs, waits, channels, awaited, clock } = await start();
    await claim(runs);
    const aborts = [new AbortController(), new AbortController()];
    const copies = aborts.map(({ signal }) => waits.wait(keyOf(1), signal));
    await awaited();
    const both = await channels();

    aborts[0]?.abort();
    await copies[0];
    await runs.claim(keyOf(1));
    const one = await channels();
    aborts[1]?.abort();
    await copies[1];

    expect([both.length, one]).toEqual([1, both]);
    await eventually('nobody listens', async () => (await channels()).length === 0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes with the store', async () => {
    const { runs, waits, channels, awaited, clock } = await start();
    await claim(runs);
    const copy = waits.wait(keyOf(1), new AbortController().signal);
    await awaited();

    waits.close();
    await copy;

    await eventually('nobody listens', async () => (await channels()).length === 0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('maxWaitingCopies', () => {
  it('lets so many wait, of one message or of many, and refuses one more until there is room', async () => {
    const { runs, waits } = await start({ maxWaitingCopies: MAX });
    await claim(runs, 1);
    await claim(runs, 2);
    const { signal } = new AbortController();
    const impatient = new AbortController();

    const copies = [
      follow(waits.wait(keyOf(1), signal)),
      follow(waits.wait(keyOf(1), signal)),
      follow(waits.wait(keyOf(2), impatient.signal)),
    ];

    await expect(waits.wait(keyOf(2), signal)).rejects.toMatchObject({
      code: 'unavailable',
      message: '3 copies wait for the one that runs: maxWaitingCopies bounds them',
    });
    impatient.abort();
    await copies[2]?.wait;
    copies.push(follow(waits.wait(keyOf(2), signal)));
    await expect(waits.wait(keyOf(2), signal)).rejects.toMatchObject({ code: 'unavailable' });
    expect(copies.map(({ isOver }) => isOver)).toEqual([false, false, true, false]);
  });

  it.each([
    ['maxWaitingCopies', 0],
    ['maxWaitingCopies', 1.5],
    ['maxAnswerBytes', -1],
    ['maxAnswerBytes', Infinity],
  ])('refuses %s: %s', async (name, value) => {
    await expect(startDedupNode('redis://127.0.0.1:1', { [name]: value })).rejects.toThrow(
      `The option "${name}" is ${value}: it is a whole number from 1 to 536870911.`,
    );
  });
});

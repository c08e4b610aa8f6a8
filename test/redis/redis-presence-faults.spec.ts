import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PresenceKeys } from '../../lib/redis/presence-keys.js';
import { CHANNEL, PresenceNode } from '../contract/presence-bench.js';
import { eventually } from '../support/redis/eventually.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { SteppedClock } from '../support/stepped-clock.js';
import {
  GRACE_MS,
  LEASE_MS,
  redisPresence,
  SWEEP_MS,
  type Faults,
  type RedisPresenceOptions,
} from './presence-nodes.js';

interface Pair {
  readonly one: PresenceNode;
  readonly two: PresenceNode;
  readonly keys: readonly string[];
  /** What stands between Redis and the first node. */
  readonly faults: Faults;
  /** Ends a node without a word. */
  kill(node: PresenceNode): void;
}

/** Bob on the first node and Ada on the second, and both know. */
async function startPair(server: RedisServer, options: RedisPresenceOptions = {}): Promise<Pair> {
  const { nodes, prefix, faults, kill } = await redisPresence(server.url, options);
  const [one, two] = nodes.map((store) => new PresenceNode(store)) as [PresenceNode, PresenceNode];
  for (const node of [one, two]) await node.start(GRACE_MS);
  one.has('bob');
  await one.told();
  two.has('ada');
  await two.told();
  await one.told();
  return {
    one,
    two,
    keys: new PresenceKeys(prefix).of(CHANNEL),
    faults,
    kill: ({ store }) => void kill?.(store),
  };
}

const EVERYBODY = { bob: 1, ada: 1 };
const TOLD_ONE = ['join bob 1', 'join ada 1'];

/** Both nodes have swept so often that whatever was wrong has been made good. */
const HEALED_MS = 6 * SWEEP_MS + GRACE_MS;

describe('presence where Redis has lost something', () => {
  const lifetime = untilAfterAll();
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start({ lifetime });
  });

  it.each([
    ['the connections', [0]],
    ['the lives of the nodes', [1]],
    ['those who may come back', [2]],
    ['all keys', [0, 1, 2]],
  ])('is exact again, and tells nothing of it: %s', async (_what, lost) => {
    const { one, two, keys } = await startPair(server);

    await server.run('del', ...lost.map((at) => keys[at] as string));
    await setTimeout(HEALED_MS);

    expect([await one.members(), await two.members()]).toEqual([EVERYBODY, EVERYBODY]);
    expect([await one.told(), await two.told()]).toEqual([TOLD_ONE, ['join ada 1']]);
  });

  it('tells of those who come right behind a loss, and of those who go', async () => {
    const { one, two, keys } = await startPair(server);

    await server.run('del', ...keys);
    two.has('eve');
    two.has('ada', 0);
    await setTimeout(HEALED_MS);
    await eventually('eve is told', async () => one.toldBefore().includes('join eve 1'));
    await eventually('ada is told', async () => one.toldBefore().includes('leave ada 0'));

    expect(await one.members()).toEqual({ bob: 1, eve: 1 });
    expect(await one.told()).toHaveLength(TOLD_ONE.length + 2);
  });

  it('is told again by its nodes after 100 losses at random', async () => {
    const { one, two, keys } = await startPair(server);

    for (let round = 0; round < 100; round++) {
      await server.run('del', keys[round % keys.length] as string);
      two.has('eve', (round % 2) + 1);
      await two.members();
    }
    await setTimeout(HEALED_MS);

    expect(await one.members()).toEqual({ ...EVERYBODY, eve: 2 });
    expect(await two.members()).toEqual({ ...EVERYBODY, eve: 2 });
    expect((await one.told()).filter((told) => told.startsWith('join eve'))).toHaveLength(1);
  });

  it('is told again in parts that hold up nobody else for long', async () => {
    const { one, two, keys, faults } = await startPair(server);
    const users = Array.from({ length: 1_200 }, (_, at) => `user-${at}`);
    for (const user of users) one.has(user);
    await one.members();

    await server.run('del', ...keys);
    await setTimeout(HEALED_MS);

    expect(Object.keys(await two.members())).toHaveLength(users.length + 2);
    expect(faults.longest).toBeLessThan(3 * 600);
  });

  it('leaves nothing in Redis that does not end by itself', async () => {
    const { two, keys } = await startPair(server);
    two.loses('ada');
    await two.members();

    for (const key of keys) {
      const left = Number(await server.run('pttl', key));
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(2 * (LEASE_MS + GRACE_MS));
    }
  });

  it('listens to no channel that nobody is in any more', async () => {
    const { one, two, keys } = await startPair(server);
    const [prefix = ''] = (keys[0] as string).split(':{');
    const channel = new PresenceKeys(prefix).channel(CHANNEL);
    const listeners = async (): Promise<unknown> =>
      ((await server.run('pubsub', 'numsub', channel)) as unknown[])[1];
    const before = await listeners();

    one.has('bob', 0);
    two.has('ada', 0);

    await eventually('nobody listens', async () => (await listeners()) === 0);
    expect(before).toBe(2);
  });
});

describe('presence where messages are lost', () => {
  const lifetime = untilAfterAll();
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start({ lifetime });
  });

  /** One comes and one goes while the first node hears nothing. */
  async function miss({ two, faults }: Pair): Promise<void> {
    faults.isDeaf = true;
    two.has('eve');
    two.has('ada', 0);
    await two.members();
    await eventually('the message has come', async () => faults.missed > 0);
    faults.isDeaf = false;
  }

  it('tells what was missed when the next message comes', async () => {
    const pair = await startPair(server, { sweepMs: 60_000 });

    await miss(pair);
    pair.two.has('zoe');
    await eventually('zoe is told', async () => pair.one.toldBefore().includes('join zoe 1'));

    expect((await pair.one.told()).toSorted()).toEqual(
      [...TOLD_ONE, 'join eve 1', 'leave ada 0', 'join zoe 1'].toSorted(),
    );
  });

  it('tells what was missed when no message comes any more', async () => {
    const pair = await startPair(server);

    await miss(pair);
    await eventually('both are told', async () => pair.one.toldBefore().length > TOLD_ONE.length + 1);

    expect(pair.one.toldBefore().toSorted()).toEqual([...TOLD_ONE, 'join eve 1', 'leave ada 0'].toSorted());
  });

  it('is told to the others where a node may not listen, which listens as soon as it may', async () => {
    const { nodes, prefix, faults } = await redisPresence(server.url);
    const [one, two] = nodes.map((store) => new PresenceNode(store)) as [PresenceNode, PresenceNode];
    for (const node of [one, two]) await node.start(GRACE_MS);
    const channel = new PresenceKeys(prefix).channel(CHANNEL);
    const listeners = async (): Promise<unknown> =>
      ((await server.run('pubsub', 'numsub', channel)) as unknown[])[1];

    faults.isRefused = true;
    one.has('bob');
    const members = await one.members();
    two.has('ada');
    await eventually('ada is told', async () => one.toldBefore().includes('join ada 1'));
    const deaf = await listeners();
    faults.isRefused = false;
    await eventually('both listen', async () => (await listeners()) === 2);
    two.has('eve');

    expect([members, deaf]).toEqual([{ bob: 1 }, 1]);
    expect(await two.members()).toEqual({ ...EVERYBODY, eve: 1 });
    expect(await one.told()).toEqual([...TOLD_ONE, 'join eve 1']);
    expect(one.failures).toHaveLength(1);
  });

  it('tells what was missed when the connection that brings messages was cut', async () => {
    const { one, two } = await startPair(server);

    await server.run('client', 'kill', 'type', 'pubsub');
    two.has('eve');
    await two.members();
    await eventually('eve is told', async () => one.toldBefore().includes('join eve 1'));

    expect(await one.told()).toEqual([...TOLD_ONE, 'join eve 1']);
  });

  // The negative control: without what looks for it, such a loss stays.
  it('tells nothing of what was missed where nobody looks', async () => {
    const pair = await startPair(server, { sweepMs: 60_000 });

    await miss(pair);
    await setTimeout(HEALED_MS);

    expect(pair.one.toldBefore()).toEqual(TOLD_ONE);
  });
});

describe('presence while a node or Redis stands still', () => {
  it('gives up a node that stands still, and takes it in again', async () => {
    const server = await RedisServer.start();
    const { one, two, faults } = await startPair(server);

    faults.isFrozen = true;
    await eventually('bob is told', async () => two.toldBefore().includes('leave bob 0'));
    const without = await two.members();
    faults.isFrozen = false;
    await eventually('bob is told again', async () => two.toldBefore().includes('join bob 1'));

    expect([without, await two.members(), await one.members()]).toEqual([{ ada: 1 }, EVERYBODY, EVERYBODY]);
    expect(await two.told()).toEqual(['join ada 1', 'leave bob 0', 'join bob 1']);
  });

  it('takes nobody for dead where Redis was silent for longer than the lease', async () => {
    const server = await RedisServer.start();
    const { one, two } = await startPair(server, { commandTimeoutMs: 500 });

    server.freeze();
    await setTimeout(LEASE_MS + GRACE_MS);
    server.thaw();
    await setTimeout(HEALED_MS);

    await eventually('all is well', async () => (await two.members())['bob'] === 1);
    expect([await one.told(), await two.told()]).toEqual([TOLD_ONE, ['join ada 1']]);
    expect([one.failures.length, two.failures.length]).toEqual([1, 1]);
  });

  it('makes good what has changed while Redis was away, with all that it knew lost', async () => {
    const server = await RedisServer.start();
    const { one, two } = await startPair(server);

    await server.kill();
    two.has('eve');
    one.has('zoe');
    await expect(one.members()).rejects.toMatchObject({ code: 'unavailable' });
    await server.restart();
    await eventually('eve is told', async () => one.toldBefore().includes('join eve 1'));
    // A node may hear again only after it has written: of zoe it tells when it has read the list.
    for (const node of [one, two]) {
      await eventually('zoe is told', async () => node.toldBefore().includes('join zoe 1'));
    }

    const everybody = { ...EVERYBODY, eve: 1, zoe: 1 };
    expect([await one.members(), await two.members()]).toEqual([everybody, everybody]);
    expect((await one.told()).toSorted()).toEqual([...TOLD_ONE, 'join eve 1', 'join zoe 1'].toSorted());
    expect(one.failures).toHaveLength(1);
  });
});

describe('presence of a channel into which somebody comes all the time', () => {
  /** Redis is further away than they are apart: there is always somebody of whom it has not been told. */
  const DELAY_MS = 20;
  const EVERY_MS = 5;

  async function startRush(): Promise<Pair> {
    const pair = await startPair(await RedisServer.start());
    let came = 0;
    const timer = setInterval(() => pair.one.has(`user-${(came += 1)}`), EVERY_MS);
    onTestFinished(() => clearInterval(timer));
    pair.faults.delayMs = DELAY_MS;
    return pair;
  }

  it('is told who is there, with everybody who came before the question', async () => {
    const { one } = await startRush();

    one.has('eve');
    const members = await one.members();

    expect(members).toMatchObject({ ...EVERYBODY, eve: 1 });
  });

  it('makes good what was missed', async () => {
    const { one, two, faults } = await startRush();

    faults.isDeaf = true;
    two.has('eve');
    await two.members();
    await eventually('the message has come', async () => faults.missed > 0);
    faults.isDeaf = false;

    const told = await eventually('eve is told', async () =>
      one.toldBefore().find((change) => change.includes('eve')),
    );

    expect(told).toBe('join eve 1');
  });
});

describe('presence of those who have left nobody behind', () => {
  it('is over when the grace is, also where no node looks', async () => {
    const server = await RedisServer.start();
    const { nodes } = await redisPresence(server.url);
    const [one, two] = nodes.map((store) => new PresenceNode(store)) as [PresenceNode, PresenceNode];
    for (const node of [one, two]) await node.start(GRACE_MS);
    one.has('ada');
    one.loses('ada');
    await one.members();

    const within = await two.members();
    await setTimeout(1.1 * GRACE_MS);
    const after = await two.members();
    two.has('bob');
    const withBob = await two.members();
    one.has('ada');

    await eventually('ada is told', async () => two.toldBefore().includes('join ada 1'));
    expect([within, after, withBob]).toEqual([{ ada: 0 }, {}, { bob: 1 }]);
    expect(await two.told()).toEqual(['join bob 1', 'join ada 1']);
  });
});

describe('presence where the clock of Redis is set back', () => {
  /** Far more than anything here takes. */
  const STEP_S = 3_600;

  it.each([0, -STEP_S])('lets those who are gone leave in time: by %i s', async (offsetS) => {
    const clock = new SteppedClock();
    const server = await RedisServer.start({ env: clock.env });
    const { one, two, kill } = await startPair(server);
    two.has('eve');
    two.has('zoe');
    await two.told();
    one.has('bea');
    one.loses('bea');
    await one.members();

    clock.step(offsetS);
    kill(two);
    one.has('zoe');
    await setTimeout(LEASE_MS + GRACE_MS + HEALED_MS);

    expect(await one.members()).toEqual({ bob: 1, zoe: 1 });
    expect((await one.told()).filter((told) => told.startsWith('leave')).toSorted()).toEqual([
      'leave ada 0',
      'leave bea 0',
      'leave eve 0',
    ]);
  });
});

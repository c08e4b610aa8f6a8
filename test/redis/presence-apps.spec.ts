import { beforeAll, describe, expect, it } from 'vitest';
import { RedisBroker } from '../../lib/redis/index.js';
import { SystemRandom } from '../../lib/nest/system-clock.js';
import { Hall, membersOf, toldTo } from '../support/presence-rig.js';
import { eventually } from '../support/redis/eventually.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { PresenceNode } from '../contract/presence-bench.js';
import { redisPresence } from './presence-nodes.js';

const USERS = Array.from({ length: 50 }, (_, at) => `user-${at}`);

/** So many changes of a channel are told one by one in a turn of the event loop. */
const MAX_IN_A_TURN = 100;

/** Behind everything that was on its way. */
const LAST = 'zoe';

describe('presence of two applications that share a Redis', () => {
  const lifetime = untilAfterAll();
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start({ lifetime });
  });

  async function startTwo(presenceGraceMs?: number): Promise<[Hall, Hall]> {
    const prefix = new SystemRandom().id();
    const start = (): Promise<Hall> => {
      const broker = new RedisBroker({ connection: server.url, prefix });
      return Hall.start({ broker, presenceGraceMs }, 'real');
    };
    return [await start(), await start()];
  }

  it('tells the clients of one who comes and goes on the other, once and not themselves', async () => {
    const [one, two] = await startTwo();
    const ada = await one.enter('ada');

    const bob = await two.enter('bob');
    await two.enter('bob');
    await ada.waitFor({ event: '$join', data: { principal: 'bob' } });
    const members = await membersOf(ada);
    const toldBob = await toldTo(bob);
    await two.app.channels.disconnect({ principal: 'bob' });
    await ada.waitFor({ event: '$leave', data: { principal: 'bob' } });

    expect(members).toEqual({ ada: 1, bob: 2 });
    expect(await toldTo(ada)).toEqual(['$join bob 1', '$leave bob 0']);
    expect(toldBob).toEqual([]);
    expect(await two.app.channels.presence('hall')).toEqual([{ principal: 'ada', connections: 1 }]);
  });

  it('lists each client for itself as soon as it has joined', async () => {
    const [one, two] = await startTwo();

    const ada = await one.enter('ada');
    const alone = await membersOf(ada);
    const bob = await two.enter('bob');

    expect([alone, await membersOf(bob)]).toEqual([{ ada: 1 }, { ada: 1, bob: 1 }]);
  });

  it.each([
    ['tells nothing of', undefined, 0],
    // The negative control: so much is told where nobody is given the time to come back.
    ['tells everything, without a grace, of', 0, 2 * USERS.length],
  ])('%s a node that is deployed anew', async (_what, graceMs, told) => {
    const [one, two] = await startTwo(graceMs);
    const ada = await one.enter('ada');
    await Promise.all(USERS.map((user) => two.enter(user)));
    await eventually('all are there', async () => (await toldTo(ada)).length === USERS.length);

    await two.app.close();
    await Promise.all(USERS.map((user) => one.enter(user)));
    await one.enter(LAST);
    await ada.waitFor({ event: '$join', data: { principal: LAST } });

    const everybody = Object.fromEntries(['ada', ...USERS, LAST].map((user) => [user, 1]));
    expect(await membersOf(ada)).toEqual(everybody);
    expect(await toldTo(ada)).toHaveLength(USERS.length + told + 1);
  });

  it.each([
    ['one by one', MAX_IN_A_TURN, 0],
    ['by a $gap', MAX_IN_A_TURN + 1, 1],
  ])('tells %s of %i who come to another node at a time', async (_how, count, gaps) => {
    const { nodes, prefix } = await redisPresence(server.url);
    const [other] = nodes.map((store) => new PresenceNode(store));
    await other?.start(0);
    const hall = await Hall.start({ broker: new RedisBroker({ connection: server.url, prefix }) }, 'real');
    const ada = await hall.enter('ada');
    // Her own join is then in no turn with what follows.
    await membersOf(ada);
    other?.has('bob', 1, 'hall');
    await ada.waitFor({ event: '$join', data: { principal: 'bob' } });

    for (let at = 0; at < count; at++) other?.has(`user-${at}`, 1, 'hall');
    await ada.waitFor(
      gaps > 0 ? { event: '$gap' } : { event: '$join', data: { principal: `user-${count - 1}` } },
    );

    expect(await toldTo(ada)).toHaveLength(1 + MAX_IN_A_TURN);
    expect(Object.keys(await membersOf(ada))).toHaveLength(2 + count);
    expect(ada.frames.filter((frame) => (frame as { event?: string }).event === '$gap')).toHaveLength(gaps);
  });
});

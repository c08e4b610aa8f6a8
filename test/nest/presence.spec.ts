import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { MemoryPresenceStore } from '../../lib/core/memory-presence-store.js';
import { memoryBroker } from '../core/engine-rig.js';
import { framesOf } from '../support/room.js';
import { Hall, membersOf, toldTo, withPresence } from '../support/presence-rig.js';

const GRACE_MS = 10_000;

/** So many changes of a channel are told one by one in a turn of the event loop. */
const MAX_IN_A_TURN = 100;

/** On other nodes, come in one turn. */
function crowd(store: MemoryPresenceStore, count: number, channel = 'hall'): void {
  for (let at = 0; at < count; at++) {
    store.set({ channel, principal: `user-${at}`, connections: 1, isLost: false });
  }
}

describe('$join and $leave', () => {
  it('are told to those who are in, in the form of docs/protocol.md', async () => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada');

    const bob = await hall.enter('bob');
    await bob.unsubscribe('hall');

    expect((await framesOf(ada)).slice(1)).toEqual([
      { channel: 'hall', event: '$join', data: { principal: 'bob', connections: 1 } },
      { channel: 'hall', event: '$leave', data: { principal: 'bob', connections: 0 } },
    ]);
  });

  it('are not told to whom they are about, nor of a second connection', async () => {
    const hall = await Hall.start();
    const first = await hall.enter('ada');
    const bob = await hall.enter('bob');

    const second = await hall.enter('ada');
    await second.unsubscribe('hall');
    await first.subscribe('hall');

    expect([await toldTo(first), await toldTo(second)]).toEqual([['$join bob 1'], []]);
    expect(await toldTo(bob)).toEqual([]);
  });

  it('are told of joins and leaves by the server, at once', async () => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada');
    await hall.gateway.sockets.next();
    const bob = await hall.connect('bob');
    const socket = await hall.gateway.sockets.next();

    await hall.app.channels.subscribe(socket, 'hall');
    await hall.app.channels.unsubscribe(socket, 'hall');

    expect(await toldTo(ada)).toEqual(['$join bob 1', '$leave bob 0']);
    expect(await toldTo(bob)).toEqual([]);
  });

  it('are told of a loss after the grace, and not at all of one who is back', async () => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada');
    await hall.end(await hall.enter('bob'));
    await hall.end(await hall.enter('eve'));

    await hall.clock.advance(GRACE_MS - 1);
    await hall.enter('eve');
    const before = await toldTo(ada);
    await hall.clock.advance(GRACE_MS);

    expect(before).toEqual(['$join bob 1', '$join eve 1']);
    expect(await toldTo(ada)).toEqual([...before, '$leave bob 0']);
    expect(await membersOf(ada)).toEqual({ ada: 1, eve: 1 });
  });

  // The negative control of the test above.
  it('are told of each loss without a grace', async () => {
    const hall = await Hall.start({ presenceGraceMs: 0 });
    const ada = await hall.enter('ada');

    await hall.end(await hall.enter('eve'));
    await hall.enter('eve');

    expect(await toldTo(ada)).toEqual(['$join eve 1', '$leave eve 0', '$join eve 1']);
  });

  it.each([
    ['stays away: 1000', 1_000, ['$leave bob 0']],
    ['stays away: 4503', 4_503, ['$leave bob 0']],
    ['comes back: 1001', 1_001, []],
    ['comes back: 4000', 4_000, []],
  ])('are told at once of one whose close code says that it %s', async (_what, code, told) => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada');

    await hall.end(await hall.enter('bob'), code);

    expect(await toldTo(ada)).toEqual(['$join bob 1', ...told]);
  });

  it('are told at once of one whom the server disconnects, unless it is to come back', async () => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada');
    await hall.enter('bob');
    await hall.enter('eve');

    await hall.app.channels.disconnect({ principal: 'bob' });
    await hall.app.channels.disconnect({ principal: 'eve' }, { reconnect: true });
    await hall.ends.next();
    await hall.ends.next();

    expect(await toldTo(ada)).toEqual(['$join bob 1', '$join eve 1', '$leave bob 0']);
    expect(await membersOf(ada)).toEqual({ ada: 1, eve: 0 });
  });

  it('are not told of a client whose second connection replaces the first', async () => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada');
    const clientId = 'b'.repeat(22);
    const first = await hall.enter('bob');
    await first.hello({ clientId });

    const second = await hall.connect('bob');
    await second.hello({ clientId });
    const code = await hall.ends.next();
    await second.subscribe('hall');

    expect(code).toBe(4_509);
    expect(await toldTo(ada)).toEqual(['$join bob 1']);
  });

  it.each(['hall', 'kept'])('follow the ack of one who joins meanwhile, in %s', async (channel) => {
    const hall = await Hall.start();
    const ada = await hall.connect('ada');
    const joining = ada.subscribe(channel, { params: 'wait' });
    const end = await hall.gateway.waiting.next();

    const bob = await hall.enter('bob', channel);
    await bob.unsubscribe(channel);
    const before = await framesOf(ada);
    end();
    await joining;

    expect(before).toEqual([]);
    expect(await toldTo(ada)).toEqual(['$join bob 1', '$leave bob 0']);
    expect((await framesOf(ada))[0]).toMatchObject({ data: { channel } });
  });

  it.each(['hall', 'kept'])(
    'are held back in the same way from one who joins again, in %s',
    async (channel) => {
      const hall = await Hall.start();
      const ada = await hall.enter('ada', channel);
      const joining = ada.subscribe(channel, { params: 'wait' });
      const end = await hall.gateway.waiting.next();

      await hall.enter('bob', channel);
      const before = await toldTo(ada);
      end();
      await joining;

      expect(before).toEqual([]);
      expect(await toldTo(ada)).toEqual(['$join bob 1']);
    },
  );

  it.each([
    ['small', { channel: 'small' }],
    ['small-kept', { channel: 'small-kept', epoch: expect.any(String), offset: 1 }],
  ])('end in a $gap where more of them come than can be held back, in %s', async (channel, gap) => {
    const hall = await Hall.start();
    await hall.app.channels.publish(channel, 'said');
    const ada = await hall.connect('ada');
    const joining = ada.subscribe(channel, { params: 'wait' });
    const end = await hall.gateway.waiting.next();

    await hall.enter('bob', channel);
    await hall.enter('eve', channel);
    end();
    await joining;

    expect((await framesOf(ada)).slice(1)).toEqual([{ event: '$gap', data: gap }]);
  });

  it('are told to nobody between an ack and the $unsubscribe that has won over it', async () => {
    const hall = await Hall.start();
    const ada = await hall.connect('ada');
    const joining = ada.subscribe('hall', { params: 'wait' });
    const end = await hall.gateway.waiting.next();
    const leaving = ada.unsubscribe('hall');

    const bob = await hall.enter('bob');
    end();
    await joining;
    await leaving;

    expect(await toldTo(ada)).toEqual([]);
    expect(await toldTo(bob)).toEqual(['$join ada 1', '$leave ada 0']);
  });

  it('are not told of one whose join is refused, and of one whose second join is, at once', async () => {
    const hall = await Hall.start();
    const bob = await hall.enter('bob');
    const ada = await hall.connect('ada');
    const refused = async (): Promise<void> => {
      const joining = ada.subscribe('hall', { params: 'wait' });
      (await hall.gateway.waiting.next())(new Error('no'));
      await joining;
    };

    await refused();
    const before = await toldTo(bob);
    await ada.subscribe('hall');
    await refused();

    expect(before).toEqual([]);
    expect(await toldTo(bob)).toEqual(['$join ada 1', '$leave ada 0']);
    expect(await membersOf(bob)).toEqual({ bob: 1 });
  });

  it('are not told on a channel without presence', async () => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada', 'plain');

    await hall.enter('bob', 'plain');

    expect(await toldTo(ada)).toEqual([]);
  });

  it('are not in the history, and take no offset', async () => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada', 'kept');

    await hall.enter('bob', 'kept');
    await hall.app.channels.publish('kept', 'said', 1);

    const { publications } = await hall.app.channels.history('kept');
    expect(publications).toEqual([{ event: 'said', data: 1, offset: 1 }]);
    expect((await framesOf(ada)).slice(1)).toEqual([
      { channel: 'kept', event: '$join', data: { principal: 'bob', connections: 1 } },
      { channel: 'kept', event: 'said', offset: 1, data: 1 },
    ]);
  });

  it.each([
    ['one by one', MAX_IN_A_TURN, []],
    ['by a $gap', MAX_IN_A_TURN + 1, [{ event: '$gap', data: { channel: 'hall' } }]],
  ])('are told %s where %i come in one turn', async (_how, count, gaps) => {
    const store = new MemoryPresenceStore({ clock: new TestClock() });
    const losses: unknown[] = [];
    const observer = { gap: (_connection: unknown, channel: string) => void losses.push(channel) };
    const hall = await Hall.start({ broker: withPresence(memoryBroker(), store), observers: [observer] });
    const ada = await hall.enter('ada');

    crowd(store, count);
    const frames = (await framesOf(ada)).slice(1);
    crowd(store, 1, 'kept');
    store.set({ channel: 'hall', principal: 'bob', connections: 1, isLost: false });

    expect(frames).toHaveLength(MAX_IN_A_TURN + gaps.length);
    expect(frames.slice(MAX_IN_A_TURN)).toEqual(gaps);
    expect(Object.keys(await membersOf(ada))).toHaveLength(count + 2);
    expect((await toldTo(ada)).at(-1)).toBe('$join bob 1');
    // No publication was.
    expect(losses).toEqual([]);
  });

  it('are told by a $gap behind the ack to one who joins while too many come', async () => {
    const store = new MemoryPresenceStore({ clock: new TestClock() });
    const hall = await Hall.start({ broker: withPresence(memoryBroker(), store) });
    const ada = await hall.connect('ada');
    const joining = ada.subscribe('hall', { params: 'wait' });
    const end = await hall.gateway.waiting.next();

    crowd(store, MAX_IN_A_TURN + 1);
    await framesOf(ada);
    end();
    await joining;

    expect((await framesOf(ada)).slice(1)).toEqual([{ event: '$gap', data: { channel: 'hall' } }]);
  });
});

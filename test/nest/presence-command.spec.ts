import { ChannelsError, type PresenceMembers } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { MemoryPresenceStore } from '../../lib/core/memory-presence-store.js';
import { memoryBroker } from '../core/engine-rig.js';
import { Arrivals } from '../support/arrivals.js';
import { Deferred } from '../support/deferred.js';
import { Hall, membersOf, withPresence } from '../support/presence-rig.js';

/** A store whose answers the test gives. */
class SlowStore extends MemoryPresenceStore {
  readonly asked = new Arrivals<Deferred<PresenceMembers>>();

  constructor() {
    super({ clock: new TestClock() });
  }

  override members(): never {
    const answer = new Deferred<PresenceMembers>();
    this.asked.add(answer);
    return answer.promise as never;
  }
}

async function startSlow(): Promise<{ hall: Hall; store: SlowStore }> {
  const store = new SlowStore();
  const hall = await Hall.start({ broker: withPresence(memoryBroker(), store) });
  return { hall, store };
}

const NOBODY: PresenceMembers = { members: [], count: 0 };

describe('$presence', () => {
  it('is answered with everybody who is there, and the number of their connections', async () => {
    const hall = await Hall.start();
    const ada = await hall.enter('ada');
    await hall.enter('ada');
    await hall.enter('');
    await hall.enter('');

    const { data } = await ada.request('$presence', { channel: 'hall' });

    expect(data).toEqual({
      members: [
        { principal: 'ada', connections: 2 },
        { principal: '', connections: 2 },
      ],
      count: 2,
      more: false,
    });
  });

  it.each([
    [2, 2, false],
    [3, 2, true],
  ])('lists of %i members %i, where maxPresenceMembers is 2', async (count, listed, more) => {
    const hall = await Hall.start({ maxPresenceMembers: 2 });
    const client = await hall.enter('user-0');
    for (let at = 1; at < count; at++) await hall.enter(`user-${at}`);

    const { data } = await client.request('$presence', { channel: 'hall' });

    expect(data).toMatchObject({ count, more });
    expect((data as { members: unknown[] }).members).toHaveLength(listed);
  });

  it.each<[string, unknown, string]>([
    ['a channel that the connection is not in', { channel: 'kept' }, 'not_subscribed'],
    ['a channel without presence', { channel: 'plain' }, 'bad_request'],
    ['what is no channel name', { channel: 'a b' }, 'unknown_channel'],
    ['data that is no object', 'hall', 'bad_request'],
  ])('refuses %s', async (_what, data, code) => {
    const hall = await Hall.start();
    const client = await hall.enter('ada');
    await client.subscribe('plain');

    expect((await client.request('$presence', data)).error).toMatchObject({ code });
  });

  it('counts one who has left, and was lost, no more', async () => {
    const hall = await Hall.start({ presenceGraceMs: 0 });
    const ada = await hall.enter('ada');
    const bob = await hall.enter('bob');
    await hall.end(await hall.enter('eve'));

    await bob.unsubscribe('hall');

    expect(await membersOf(ada)).toEqual({ ada: 1 });
    expect((await bob.request('$presence', { channel: 'hall' })).error).toMatchObject({
      code: 'not_subscribed',
    });
  });

  it('is asked once at a time for a channel of a connection, which is told when to ask again', async () => {
    const { hall, store } = await startSlow();
    const client = await hall.enter('ada');
    await client.subscribe('kept');

    const first = client.request('$presence', { channel: 'hall' });
    const second = await client.request('$presence', { channel: 'hall' });
    const other = client.request('$presence', { channel: 'kept' });
    (await store.asked.next()).resolve(NOBODY);
    (await store.asked.next()).resolve(NOBODY);

    expect(second.error).toEqual({
      code: 'rate_limited',
      message: 'the last $presence of this channel has no answer yet',
      retryable: true,
      retryAfterMs: 1_000,
    });
    expect((await first).data).toEqual({ ...NOBODY, more: false });
    expect((await other).data).toEqual({ ...NOBODY, more: false });
    const third = client.request('$presence', { channel: 'hall' });
    (await store.asked.next()).resolve(NOBODY);
    expect((await third).error).toBeUndefined();
  });

  it('shares a read between all who ask while another one runs', async () => {
    const { hall, store } = await startSlow();
    const clients = await Promise.all(['ada', 'bob', 'eve'].map((user) => hall.enter(user)));
    const answers = [];

    for (const client of clients) {
      answers.push(client.request('$presence', { channel: 'hall' }));
      await client.request('$ping');
    }
    (await store.asked.next()).resolve(NOBODY);
    (await store.asked.next()).resolve({ ...NOBODY, count: 3 });

    expect((await Promise.all(answers)).map(({ data }) => data)).toMatchObject([
      { count: 0 },
      { count: 3 },
      { count: 3 },
    ]);
    expect(store.asked.all).toHaveLength(2);
  });

  it.each([
    [29, 0],
    [3_000, 100],
    [1_000_000, 1_000],
  ])('reads a list of %i entries that others share again after %i ms', async (count, ms) => {
    const { hall, store } = await startSlow();
    const client = await hall.enter('ada');
    const ask = () => client.request('$presence', { channel: 'hall' });
    const first = ask();
    (await store.asked.next()).resolve({ ...NOBODY, count });
    await first;

    const second = ask();
    await client.request('$ping');
    if (ms > 0) await hall.clock.advance(ms - 1);
    const before = store.asked.all.length;
    if (ms > 0) await hall.clock.advance(1);
    (await store.asked.next()).resolve(NOBODY);

    expect(before).toBe(ms > 0 ? 1 : 2);
    expect((await second).data).toMatchObject({ count: 0 });
  });

  it.each([
    ['unavailable', new ChannelsError('unavailable', 'away'), { code: 'unavailable', message: 'away' }],
    ['internal', new Error('secret'), { code: 'internal', message: 'who is there cannot be read' }],
  ])('is answered %s where the store fails so', async (_code, failure, error) => {
    const { hall, store } = await startSlow();
    const client = await hall.enter('ada');

    const answer = client.request('$presence', { channel: 'hall' });
    (await store.asked.next()).reject(failure);

    expect((await answer).error).toMatchObject(error);
    const again = client.request('$presence', { channel: 'hall' });
    (await store.asked.next()).resolve(NOBODY);
    expect((await again).error).toBeUndefined();
  });
});

describe('ChannelsService.presence', () => {
  it('tells who is in a channel, whatever maxPresenceMembers says', async () => {
    const hall = await Hall.start({ maxPresenceMembers: 1 });
    await hall.enter('ada');
    await hall.enter('bob');

    expect(await hall.app.channels.presence('hall')).toEqual([
      { principal: 'ada', connections: 1 },
      { principal: 'bob', connections: 1 },
    ]);
    expect(await hall.app.channels.presence('kept')).toEqual([]);
  });

  it.each(['plain', 'of no pattern', 'other'])('refuses %s', async (channel) => {
    const hall = await Hall.start();

    await expect(hall.app.channels.presence(channel)).rejects.toMatchObject({ code: 'bad_request' });
  });
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../lib/core/engine.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { SMALL_BUFFER_BYTES } from '../support/room.gateway.js';
import {
  acked,
  ask,
  enter,
  framesOf,
  publication,
  publish,
  startRoom,
  subscribersOf,
  type Room,
} from '../support/room.js';

describe('a publication during a pending $subscribe', () => {
  it('follows the ack, in order, with those before and after it', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();

    await publish(rig, 1);
    await publish(rig, 2);
    const before = await framesOf(rig.client);
    call.resolve('state');
    await rig.client.waitFor({ ack: 'a' });
    await publish(rig, 3);

    expect(before).toEqual([]);
    expect(await framesOf(rig.client)).toEqual([
      acked('a', 'state'),
      publication('room:1', 1),
      publication('room:1', 2),
      publication('room:1', 3),
    ]);
  });

  it('follows the ack where the method itself publishes', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();

    await Promise.all([publish(rig, 'from within'), call.resolve(), publish(rig, 'at the end')]);

    await rig.client.waitFor({ ack: 'a' });
    expect(await framesOf(rig.client)).toEqual([
      acked('a'),
      publication('room:1', 'from within'),
      publication('room:1', 'at the end'),
    ]);
  });

  it('is dropped where the $subscribe is refused', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();

    await publish(rig, 1);
    call.reject(new Error('no'));
    await rig.client.waitFor({ ack: 'a' });
    await publish(rig, 2);

    expect(await framesOf(rig.client)).toMatchObject([{ ack: 'a', error: { code: 'internal' } }]);
  });

  it('does not wait for one who is in already', async () => {
    const rig = await startRoom();
    const other = await rig.app.connect('/ws');
    await enter(rig, 'room:1');
    ask(other, '$subscribe', 'a');
    const call = await rig.room.joins.next();

    await publish(rig, 1);

    expect(await rig.client.waitFor({ channel: 'room:1' })).toEqual(publication('room:1', 1));
    expect(await framesOf(other)).toEqual([]);
    call.resolve();
    expect(await other.waitFor({ channel: 'room:1' })).toEqual(publication('room:1', 1));
  });
});

describe('the join buffer', () => {
  /** Data whose publication has this many bytes. */
  function filling(bytes: number, channel: string): string {
    const empty = Buffer.byteLength(JSON.stringify(publication(channel, '')));
    // Two bytes each: the limit is in bytes, not in characters.
    const pairs = Math.floor((bytes - empty) / 2);
    return 'é'.repeat(pairs) + 'x'.repeat(bytes - empty - 2 * pairs);
  }

  it.each([
    ['65,536 bytes by default', 'room:1', 65_536],
    ['what the channel says', 'small:1', SMALL_BUFFER_BYTES],
  ])('holds %s', async (_what, channel, bytes) => {
    const rig = await startRoom();
    const data = filling(bytes, channel);
    ask(rig.client, '$subscribe', 'a', channel);
    const call = await rig.room.joins.next();

    await publish(rig, data, channel);
    call.resolve();

    await rig.client.waitFor({ ack: 'a' });
    expect(await framesOf(rig.client)).toEqual([acked('a', undefined, channel), publication(channel, data)]);
  });

  it.each([
    ['65,536 bytes by default', 'room:1', 65_536],
    ['what the channel says', 'small:1', SMALL_BUFFER_BYTES],
  ])('tells a gap past %s, keeps nothing, and live ones follow', async (_what, channel, bytes) => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a', channel);
    const call = await rig.room.joins.next();

    await publish(rig, filling(bytes - 100, channel), channel);
    await publish(rig, filling(101, channel), channel);
    await publish(rig, 'small', channel);
    call.resolve('state');
    await rig.client.waitFor({ ack: 'a' });
    await publish(rig, 'live', channel);

    expect(await framesOf(rig.client)).toEqual([
      acked('a', 'state', channel),
      { event: '$gap', data: { channel } },
      publication(channel, 'live'),
    ]);
  });

  it('is filled to the last byte by several', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a', 'small:1');
    const call = await rig.room.joins.next();

    await publish(rig, filling(SMALL_BUFFER_BYTES - 100, 'small:1'), 'small:1');
    await publish(rig, filling(100, 'small:1'), 'small:1');
    call.resolve();

    await rig.client.waitFor({ ack: 'a' });
    expect((await framesOf(rig.client)).slice(1)).toMatchObject([
      { channel: 'small:1' },
      { channel: 'small:1' },
    ]);
  });

  it('is empty again for a repeated $subscribe', async () => {
    const rig = await startRoom();
    for (const id of ['a', 'b']) {
      ask(rig.client, '$subscribe', id, 'small:1');
      const call = await rig.room.joins.next();
      await publish(rig, filling(SMALL_BUFFER_BYTES, 'small:1'), 'small:1');
      call.resolve();
      await rig.client.waitFor({ ack: id });
    }

    const frames = await framesOf(rig.client);

    expect(frames).toMatchObject([
      { ack: 'a' },
      { channel: 'small:1' },
      { ack: 'b' },
      { channel: 'small:1' },
    ]);
  });
});

describe('commands of two channels', () => {
  it('run at the same time: one that hangs stops nobody', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a', 'room:1');
    const hanging = await rig.room.joins.next();
    ask(rig.client, '$unsubscribe', 'b', 'room:1');

    await enter(rig, 'room:2');
    await rig.client.unsubscribe('room:2');
    const meanwhile = await framesOf(rig.client);
    hanging.resolve();
    await rig.client.waitFor({ ack: 'b' });

    expect(meanwhile.map((frame) => (frame as { data: unknown }).data)).toEqual([
      { channel: 'room:2' },
      { channel: 'room:2' },
    ]);
  });
});

describe('a connection that ends during a pending $subscribe', () => {
  async function startObserved(): Promise<Room & { readonly observer: RecordingObserver }> {
    const observer = new RecordingObserver();
    return { ...(await startRoom({ channels: { observers: [observer] } })), observer };
  }

  it('has joined and left once when the method resolves, and nothing is left of it', async () => {
    const { observer, ...rig } = await startObserved();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();
    ask(rig.client, '$subscribe', 'b');
    ask(rig.client, '$unsubscribe', 'c');
    await rig.client.request('$ping');

    rig.client.terminate();
    await observer.until(({ closes }) => closes.length === 1);
    const before = [...rig.room.leaves.all];
    call.resolve('nobody is there');
    const left = await rig.room.leaves.next();
    await publish(rig, 'nobody is there');

    expect(before).toEqual([]);
    expect(left).toEqual({ channel: 'room:1', reason: 'closed' });
    expect(await subscribersOf(rig)).toEqual([]);
    expect(rig.app.nest.get(Engine).hub.size).toBe(0);
    await rig.app.close();
    expect(rig.room.leaves.all).toHaveLength(1);
    expect(rig.room.joins.all).toHaveLength(1);
  });

  it('has not joined where the method fails', async () => {
    const { observer, ...rig } = await startObserved();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();

    rig.client.terminate();
    await observer.until(({ closes }) => closes.length === 1);
    call.reject(new Error('nobody is there'));

    await rig.app.close();
    expect(rig.room.leaves.all).toEqual([]);
  });

  it('begins nothing any more that was waiting when the server has closed it', async () => {
    const { observer, ...rig } = await startObserved();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();
    ask(rig.client, '$subscribe', 'b');
    await rig.client.request('$ping');

    // A client that does not read leaves the server waiting for its answer to the close.
    rig.client.pause();
    (await rig.room.clients.next()).close(1000);
    call.resolve();
    await nextTurn();
    rig.client.terminate();
    await observer.until(({ closes }) => closes.length === 1);

    expect(rig.room.joins.all).toHaveLength(1);
    expect(await rig.room.leaves.next()).toEqual({ channel: 'room:1', reason: 'closed' });
  });
});

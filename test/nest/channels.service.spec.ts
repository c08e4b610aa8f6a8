import type { ChannelSocket, Observer } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { enter, framesOf, publication, publish, startRoom, type Room } from '../support/room.js';

/** A room with a client in `room:1`. */
async function startIn(options: Parameters<typeof startRoom>[0] = {}): Promise<Room> {
  const rig = await startRoom(options);
  await enter(rig, 'room:1');
  return rig;
}

/** What a client was sent behind the ack of its `$subscribe`. */
async function publicationsOf({ client }: Pick<Room, 'client'>): Promise<readonly unknown[]> {
  return (await framesOf(client)).slice(1);
}

describe('publish', () => {
  it('sends the data as it is when it is called', async () => {
    const rig = await startIn();
    const data = { list: [1], nested: { text: 'before' } };

    const publishing = publish(rig, data);
    data.list.push(2);
    data.nested.text = 'after';
    await publishing;

    expect(await publicationsOf(rig)).toEqual([
      publication('room:1', { list: [1], nested: { text: 'before' } }),
    ]);
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('data')],
  ])('leaves data out that has no JSON: %s', async (_what, data) => {
    const rig = await startIn();

    await publish(rig, data);

    expect(await publicationsOf(rig)).toEqual([{ channel: 'room:1', event: 'message' }]);
  });

  it.each([null, 0, false, '', [], {}])('sends %j as it is', async (data) => {
    const rig = await startIn();

    await publish(rig, data);

    expect(await publicationsOf(rig)).toEqual([publication('room:1', data)]);
  });

  it('encodes the data once, however many get it', async () => {
    const rig = await startIn();
    const others = await Promise.all(Array.from({ length: 4 }, () => rig.app.connect('/ws')));
    for (const client of others) await enter({ client, room: rig.room }, 'room:1');
    let encoded = 0;

    await publish(rig, {
      toJSON: () => {
        encoded += 1;
        return `encoded ${encoded}`;
      },
    });

    for (const client of [rig.client, ...others]) {
      expect(await publicationsOf({ client })).toEqual([publication('room:1', 'encoded 1')]);
    }
    expect(encoded).toBe(1);
  });

  it('is reported when the broker has accepted it', async () => {
    const published: unknown[] = [];
    const observer: Observer = { published: (...facts) => void published.push(facts) };
    const rig = await startIn({ channels: { observers: [observer] } });

    await publish(rig, 'accepted');
    await publish(rig, 1n).catch(() => undefined);

    expect(published).toEqual([['room:1', 'message']]);
  });

  it('keeps the order of publications that are not waited for', async () => {
    const rig = await startIn();

    await Promise.all([publish(rig, 1), publish(rig, 2), publish(rig, 3)]);

    expect(await publicationsOf(rig)).toEqual([1, 2, 3].map((data) => publication('room:1', data)));
  });

  it('leaves one out, who is named as a client or by its id', async () => {
    const rig = await startIn();
    const other = await rig.app.connect('/ws');
    await enter({ client: other, room: rig.room }, 'room:1');
    const [first] = rig.room.clients.all as [ChannelSocket];

    await rig.app.channels.publish('room:1', 'message', 'by client', { except: first });
    await rig.app.channels.publish('room:1', 'message', 'by id', { except: first.id });
    await rig.app.channels.publish('room:1', 'message', 'to all', {});

    expect(await publicationsOf(rig)).toEqual([publication('room:1', 'to all')]);
    expect(await publicationsOf({ client: other })).toEqual(
      ['by client', 'by id', 'to all'].map((data) => publication('room:1', data)),
    );
  });

  it.each([
    '',
    'a b',
    'chat:{room}',
    'a'.repeat(256),
    undefined as unknown as string,
    7 as unknown as string,
  ])('rejects with bad_request for the channel %j', async (channel) => {
    const rig = await startIn();

    await expect(rig.app.channels.publish(channel, 'message')).rejects.toMatchObject({
      name: 'ChannelsError',
      code: 'bad_request',
    });
  });

  it.each(['', '$', '$subscribed', 'e'.repeat(129), undefined as unknown as string, 7 as unknown as string])(
    'rejects with bad_request for the event %j',
    async (event) => {
      const rig = await startIn();

      await expect(rig.app.channels.publish('room:1', event)).rejects.toMatchObject({ code: 'bad_request' });

      expect(await publicationsOf(rig)).toEqual([]);
    },
  );

  it('takes an event of 128 characters, and of any kind', async () => {
    const rig = await startIn();
    const events = ['e'.repeat(128), '__proto__', 'a "b"\n', '\u{1f600}'];

    for (const event of events) await rig.app.channels.publish('room:1', event);

    expect(await publicationsOf(rig)).toEqual(events.map((event) => ({ channel: 'room:1', event })));
  });

  it('goes by maxEventLength', async () => {
    const rig = await startIn({ channels: { maxEventLength: 4 } });

    await rig.app.channels.publish('room:1', 'four');
    await expect(rig.app.channels.publish('room:1', 'fives')).rejects.toMatchObject({ code: 'bad_request' });

    expect(await publicationsOf(rig)).toHaveLength(1);
  });

  it.each([
    ['65,536 bytes by default', undefined, 65_536],
    ['what maxMessageBytes says', 100, 100],
  ])('takes data of %s, and rejects one byte more', async (_what, maxMessageBytes, bytes) => {
    const rig = await startIn({ channels: { maxMessageBytes } });
    // With its quotes, and with one character of two bytes.
    const fitting = `é${'x'.repeat(bytes - 4)}`;

    await publish(rig, fitting);
    await expect(publish(rig, `${fitting}x`)).rejects.toMatchObject({
      code: 'payload_too_large',
      message: `the data of a publication (${bytes + 1} bytes) is over maxMessageBytes (${bytes})`,
    });

    expect(await publicationsOf(rig)).toEqual([publication('room:1', fitting)]);
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const FAULT = new Error('not now');

  it.each([
    ['is circular', circular, TypeError],
    ['has a BigInt', { n: 1n }, TypeError],
    [
      'has a getter that throws',
      {
        get state(): never {
          throw FAULT;
        },
      },
      Error,
    ],
  ])('rejects with bad_request for data that %s, and sends nothing', async (_what, data, cause) => {
    const rig = await startIn();

    await expect(publish(rig, data)).rejects.toMatchObject({
      code: 'bad_request',
      message: 'the data of a publication has no JSON',
      cause: expect.any(cause),
    });

    expect(await publicationsOf(rig)).toEqual([]);
  });
});

import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ChannelName,
  ChannelsService,
  defineChannel,
  SubscribeChannel,
  type Position,
} from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

const SIZE = 100;

const news = defineChannel('news:{topic}', { history: { size: SIZE, ttlMs: 60_000 } });

/** Publishes while its method runs where a test wants that. */
@Injectable()
class During {
  act: (channel: string) => Promise<unknown> = () => Promise.resolve();
}

@WebSocketGateway({ path: '/ws' })
class NewsGateway {
  constructor(
    private readonly channels: ChannelsService,
    private readonly during: During,
  ) {}

  @SubscribeChannel(news)
  async join(@ChannelName() channel: string): Promise<unknown> {
    const { publications } = await this.channels.history(channel, { limit: 1, reverse: true });
    await this.during.act(channel);
    return publications[0]?.data;
  }
}

@WebSocketGateway({ path: '/ws' })
class PlainGateway {
  @SubscribeChannel('plain')
  join(): void {}
}

/** Publishes while it lets somebody in. */
@WebSocketGateway({ path: '/ws' })
class GreetingGateway {
  constructor(private readonly channels: ChannelsService) {}

  @SubscribeChannel(news)
  async join(@ChannelName() channel: string): Promise<void> {
    await this.channels.publish(channel, 'said', 'welcome');
  }
}

/** One of the channels of the pattern has options of its own. */
@WebSocketGateway({ path: '/elsewhere' })
class PlainNewsGateway {
  @SubscribeChannel('news:plain')
  join(): void {}
}

interface Acked {
  readonly epoch: string;
  readonly offset: number;
  readonly recovered?: boolean;
  readonly data?: unknown;
}

const start = (): Promise<ChannelsTestApp> => startApp({ providers: [NewsGateway, During] });

async function join(client: TestClient, since?: Position): Promise<Acked> {
  const { data, error } = await client.subscribe('news:a', since ? { since } : {});
  expect(error).toBeUndefined();
  return data as Acked;
}

async function publish(app: ChannelsTestApp, count: number, first = 1): Promise<void> {
  for (let at = 0; at < count; at++) await app.channels.publish('news:a', 'said', first + at);
}

/** What has arrived of the channel, when everything before has. */
async function got(client: TestClient): Promise<[data: unknown, offset: unknown][]> {
  await client.request('$ping');
  return client.frames
    .filter((frame) => (frame as { channel?: string }).channel === 'news:a')
    .map((frame) => {
      const { data, offset } = frame as { data: unknown; offset: unknown };
      return [data, offset];
    });
}

const numbered = (from: number, to: number): [number, number][] =>
  Array.from({ length: to - from + 1 }, (_, at) => [from + at, from + at]);

describe('a channel with history', () => {
  it('numbers its publications, and says where it stands', async () => {
    const app = await start();
    const client = await app.connect('/ws');
    const before = await join(client);
    await publish(app, 2);
    const after = await join(await app.connect('/ws'));

    expect(before).toMatchObject({ offset: 0 });
    expect(after).toMatchObject({ epoch: before.epoch, offset: 2, data: 2 });
    expect(after).not.toHaveProperty('recovered');
    expect(await got(client)).toEqual(numbered(1, 2));
  });

  it.each([1, SIZE])('replays all of %i missed publications, in order, behind the ack', async (missed) => {
    const app = await start();
    const client = await app.connect('/ws');
    const { epoch, offset } = await join(client);
    await client.close(1000);
    await publish(app, missed);

    const back = await app.connect('/ws');
    const ack = await join(back, { epoch, offset });
    await publish(app, 1, missed + 1);

    expect(ack).toMatchObject({ epoch, offset: 0, recovered: true });
    expect(await got(back)).toEqual(numbered(1, missed + 1));
  });

  it('says so where one too many was missed, and sends none of them', async () => {
    const app = await start();
    const { epoch, offset } = await join(await app.connect('/ws'));
    await publish(app, SIZE + 1);

    const back = await app.connect('/ws');
    const ack = await join(back, { epoch, offset });
    await publish(app, 1, SIZE + 2);

    expect(ack).toMatchObject({ epoch, offset: SIZE + 1, recovered: false, data: SIZE + 1 });
    expect(await got(back)).toEqual(numbered(SIZE + 2, SIZE + 2));
  });

  it.each<[string, (position: Position) => Position]>([
    ['of another epoch', ({ offset }) => ({ epoch: 'other', offset })],
    ['ahead of the server', ({ epoch, offset }) => ({ epoch, offset: offset + 1 })],
  ])('says so for a position %s', async (_, change) => {
    const app = await start();
    await publish(app, 3);
    const { epoch, offset } = await join(await app.connect('/ws'));

    const back = await app.connect('/ws');
    const ack = await join(back, change({ epoch, offset }));
    await publish(app, 1, 4);

    expect(ack).toMatchObject({ epoch, offset: 3, recovered: false });
    expect(await got(back)).toEqual(numbered(4, 4));
  });

  it('recovers where nothing was missed', async () => {
    const app = await start();
    await publish(app, 3);
    const { epoch, offset } = await join(await app.connect('/ws'));

    const back = await app.connect('/ws');

    expect(await join(back, { epoch, offset })).toMatchObject({ epoch, offset: 3, recovered: true });
    expect(await got(back)).toEqual([]);
  });

  it('has no hole between the state and the stream', async () => {
    const app = await start();
    await publish(app, 1);
    app.nest.get(During).act = () => publish(app, 3, 2);
    const client = await app.connect('/ws');

    const ack = await join(client);
    await publish(app, 1, 5);

    expect(ack).toMatchObject({ offset: 1, data: 1 });
    expect(await got(client)).toEqual(numbered(2, 5));
  });

  it('tells a gap where the state is older than what is kept', async () => {
    const app = await start();
    app.nest.get(During).act = () => publish(app, SIZE + 1);
    const client = await app.connect('/ws');

    await join(client);
    await publish(app, 1, SIZE + 2);

    expect(await got(client)).toEqual(numbered(SIZE + 2, SIZE + 2));
    expect(client.frames).toContainEqual({
      event: '$gap',
      data: { channel: 'news:a', epoch: expect.any(String), offset: SIZE + 1 },
    });
  });

  it.each([null, 'x', {}, { epoch: 'e' }, { epoch: 1, offset: 1 }, { epoch: 'e', offset: -1 }])(
    'refuses a position that is none: %j',
    async (since) => {
      const app = await start();
      const client = await app.connect('/ws');

      expect((await client.subscribe('news:a', { since })).error).toMatchObject({ code: 'bad_request' });
    },
  );

  it('replays once where a second resume waits behind the first', async () => {
    const app = await start();
    const client = await app.connect('/ws');
    const { epoch, offset } = await join(client);
    await client.close(1000);
    await publish(app, SIZE);
    const back = await app.connect('/ws');
    const data = { channel: 'news:a', since: { epoch, offset } };

    for (const id of [1, 2]) back.send({ event: '$subscribe', id, data });
    await back.waitFor({ ack: 2 });

    expect(await got(back)).toEqual(numbered(1, SIZE));
  });

  it('sends nothing between the ack of a join and the ack of a leave that waits', async () => {
    const app = await start();
    const during = app.nest.get(During);
    const client = await app.connect('/ws');
    during.act = async () => {
      await publish(app, SIZE + 5);
      client.send({ event: '$unsubscribe', id: 2, data: { channel: 'news:a' } });
      await client.request('$ping');
    };

    client.send({ event: '$subscribe', id: 1, data: { channel: 'news:a' } });
    await client.waitFor({ ack: 2 });

    const told = client.frames.map((frame) => (frame as { ack?: unknown; event?: unknown }).ack ?? frame);
    expect(told.filter((frame) => frame !== 1 && frame !== 2)).not.toContainEqual(
      expect.objectContaining({ event: '$gap' }),
    );
    expect(await got(client)).toEqual([]);
  });

  // The pattern of the channel's own decides, not the one that the peer came by.
  it('keeps what comes during the method where another pattern says that the channel has no history', async () => {
    const app = await startApp({ providers: [GreetingGateway, PlainNewsGateway] });
    const client = await app.connect('/ws');

    await client.subscribe('news:plain');
    const { data } = await client.waitFor({ event: 'said' });

    expect(data).toBe('welcome');
    expect(client.frames).not.toContainEqual(expect.objectContaining({ event: '$gap' }));
  });

  it('takes nothing for a gap where a channel without history is asked to resume', async () => {
    const app = await startApp({ providers: [PlainGateway] });
    const client = await app.connect('/ws');

    const { data } = await client.subscribe('plain', { since: { epoch: 'e', offset: 1 } });

    expect(data).toEqual({ channel: 'plain', recovered: false });
  });
});

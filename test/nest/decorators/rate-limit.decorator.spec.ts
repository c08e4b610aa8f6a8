import type { Type } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  RateLimit,
  SubscribeChannel,
  UseHandshakeGuards,
  type ChannelsModuleOptions,
  type RateLimitOptions,
  type RateStore,
} from 'nestjs-channels';
import { TestClock, type ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { MemoryBroker } from '../../../lib/core/memory-broker.js';
import { ChannelsError } from 'nestjs-channels';
import { RecordingObserver } from '../../support/recording-observer.js';
import { startApp } from '../../support/start-app.js';
import { seededRandom } from '../../core/engine-rig.js';

const TWO_A_SECOND = { points: 2, perMs: 1_000 };

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards()
class LimitedGateway {
  @SubscribeMessage('say')
  @RateLimit(TWO_A_SECOND)
  say(@MessageBody() text: string): string {
    return text;
  }

  @SubscribeMessage('free')
  free(): string {
    return 'free';
  }

  @SubscribeMessage('order')
  @Acked()
  @RateLimit(TWO_A_SECOND)
  order(@MessageBody() text: string): string {
    return text;
  }

  @SubscribeMessage('together')
  @RateLimit({ ...TWO_A_SECOND, per: 'principal' })
  together(): string {
    return 'together';
  }

  @SubscribeChannel('room:{id}')
  @RateLimit({ points: 1, perMs: 1_000 })
  join(): string {
    return 'in';
  }
}

interface World {
  readonly app: ChannelsTestApp;
  readonly clock: TestClock;
  readonly observer: RecordingObserver;
}

async function start(
  channels: ChannelsModuleOptions = {},
  gateways: Type[] = [LimitedGateway],
): Promise<World> {
  const clock = new TestClock();
  const observer = new RecordingObserver();
  const session = (request: { headers: Record<string, unknown> }): { principal: string } => ({
    principal: String(request.headers['x-name'] ?? ''),
  });
  const app = await startApp({
    providers: gateways,
    channels: { session, observers: [observer], heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0, ...channels },
    clock,
  });
  return { app, clock, observer };
}

const limited = (retryAfterMs: number, points = 2): object => ({
  code: 'rate_limited',
  message: `at most ${points} in 1000 ms`,
  retryable: true,
  retryAfterMs,
});

describe('RateLimit', () => {
  it('lets so many messages of a connection through, and refuses one more until it has a point', async () => {
    const { app, clock, observer } = await start();
    const client = await app.connect('/ws');
    const answers = [await client.request('say', 1), await client.request('say', 2)];
    const refused = await client.request('say', 3);

    await clock.advance(499);
    const early = await client.request('say', 4);
    await clock.advance(1);
    const late = await client.request('say', 5);

    expect(answers).toMatchObject([{ data: 1 }, { data: 2 }]);
    expect([refused, early]).toMatchObject([{ error: limited(500) }, { error: limited(1) }]);
    expect(late).toMatchObject({ data: 5 });
    expect(observer.faults).toEqual(['handler_rate', 'handler_rate']);
  });

  it('counts each connection, and each handler, by itself', async () => {
    const { app } = await start();
    const [one, other] = [await app.connect('/ws'), await app.connect('/ws')];
    for (const at of [1, 2]) await one.request('say', at);

    expect(await other.request('say', 1)).toMatchObject({ data: 1 });
    expect(await one.request('order', 1)).toMatchObject({ data: 1 });
    expect(await one.request('free')).toMatchObject({ data: 'free' });
  });

  it('tells it by an exception where there is no id', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');

    for (const data of [1, 2, 3]) client.send({ event: 'say', data });

    expect(await client.waitFor({ event: 'exception' })).toMatchObject({
      data: { status: 'error', code: 'rate_limited', retryAfterMs: 500 },
    });
  });

  it('refuses a message to an acked handler, whose copy runs when there is a point', async () => {
    const { app, clock } = await start();
    const client = await app.connect('/ws');
    for (const at of [1, 2]) await client.request('order', at);
    const frame = { event: 'order', id: 'x', data: 'copy' };
    client.send(frame);
    const refused = await client.waitFor({ ack: 'x' });

    await clock.advance(500);
    client.send(frame);

    expect(refused).toMatchObject({ error: limited(500) });
    expect(await client.waitFor({ ack: 'x' })).toMatchObject({ data: 'copy' });
  });

  it('limits joins, and ends the subscription whose repetition it refuses', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');
    const joined = await client.subscribe('room:1');
    const refused = await client.subscribe('room:1');

    expect(joined).toMatchObject({ data: { data: 'in' } });
    expect(refused).toMatchObject({ error: limited(1_000, 1) });
    expect((await app.channels.subscribers('room:1')).subscribers).toEqual([]);
  });

  it('never closes a connection', async () => {
    const { app } = await start({ maxRefusals: 1 });
    const client = await app.connect('/ws');

    for (let at = 0; at < 400; at += 1) client.send({ event: 'say', data: at });

    expect(await client.request('free')).toMatchObject({ data: 'free' });
  });

  it('counts the connections of a principal together', async () => {
    const { app } = await start();
    const headers = { 'x-name': 'ada' };
    const [one, other] = [await app.connect('/ws', { headers }), await app.connect('/ws', { headers })];
    const bob = await app.connect('/ws', { headers: { 'x-name': 'bob' } });
    await one.request('together');
    await other.request('together');

    expect(await one.request('together')).toMatchObject({ error: limited(500) });
    expect(await bob.request('together')).toMatchObject({ data: 'together' });
  });

  it('keeps the points of maxRateBuckets principals, and one more takes the room of the longest unused', async () => {
    const { app } = await start({ maxRateBuckets: 2 });
    const enter = (name: string) => app.connect('/ws', { headers: { 'x-name': name } });
    const [ada, bob, cyd] = [await enter('ada'), await enter('bob'), await enter('cyd')];

    for (let at = 0; at < 2; at += 1) await ada.request('together');
    await bob.request('together');
    // As many as there may be: everybody has the points that are left.
    expect(await ada.request('together')).toMatchObject({ error: limited(500) });
    await bob.request('together');
    await cyd.request('together');

    expect(await bob.request('together')).toMatchObject({ error: limited(500) });
    expect(await ada.request('together')).toMatchObject({ data: 'together' });
  });

  it('counts each connection of somebody anonymous by itself', async () => {
    const { app } = await start();
    const [one, other] = [await app.connect('/ws'), await app.connect('/ws')];
    for (let at = 0; at < 2; at += 1) await one.request('together');

    expect(await one.request('together')).toMatchObject({ error: limited(500) });
    expect(await other.request('together')).toMatchObject({ data: 'together' });
  });
});

describe('RateLimit of a principal whose broker shares the points', () => {
  class SharingBroker extends MemoryBroker {
    constructor(readonly rates: RateStore) {
      super({ clock: new TestClock(), random: seededRandom(1), maxHistories: 10 });
    }
  }
  const headers = { 'x-name': 'ada' };

  it('asks the broker', async () => {
    const asked: unknown[] = [];
    const rates: RateStore = {
      take: (key, { points, perMs }) => Promise.resolve(asked.push([key, points, perMs]) > 1 ? 77 : 0),
    };
    const { app } = await start({ broker: new SharingBroker(rates) });
    const client = await app.connect('/ws', { headers });

    expect(await client.request('together')).toMatchObject({ data: 'together' });
    expect(await client.request('together')).toMatchObject({ error: limited(77) });
    expect(asked[0]).toEqual([{ name: '/ws together together', principal: 'ada' }, 2, 1_000]);
  });

  it.each([
    ['is away', new ChannelsError('unavailable', 'away'), 0],
    ['fails', new Error('broken'), 3],
  ])('counts by itself while the broker %s', async (_, error, failures) => {
    const rates: RateStore = { take: () => Promise.reject(error) };
    const { app, observer } = await start({ broker: new SharingBroker(rates) });
    const client = await app.connect('/ws', { headers });
    for (let at = 0; at < 2; at += 1) await client.request('together');

    expect(await client.request('together')).toMatchObject({ error: limited(500) });
    expect(observer.failures).toHaveLength(failures);
  });
});

describe('RateLimit where it has no meaning', () => {
  it.each([
    [{ points: 0, perMs: 1 }, 'points (0)'],
    [{ points: 1.5, perMs: 1 }, 'points (1.5)'],
    [{ points: 1, perMs: 0 }, 'perMs (0)'],
    [{ points: 1, perMs: Number.NaN }, 'perMs (NaN)'],
    [{ points: 2 ** 40, perMs: 2 ** 40 }, 'is too much'],
  ] as [RateLimitOptions, string][])('refuses %j', (options, text) => {
    expect(() => RateLimit(options)).toThrow(text);
  });

  it('refuses the start on a method that handles nothing', async () => {
    @WebSocketGateway({ path: '/ws' })
    class LostGateway {
      @RateLimit({ points: 1, perMs: 1 })
      nothing(): void {}
    }

    await expect(start({}, [LostGateway])).rejects.toThrow(
      'LostGateway.nothing: @RateLimit() needs a @SubscribeMessage() or a @SubscribeChannel() beside it.',
    );
  });
});

import { UseGuards } from '@nestjs/common';
import { SkipThrottle, Throttle, ThrottlerModule } from '@nestjs/throttler';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, UseHandshakeGuards } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { ChannelsThrottlerGuard } from 'nestjs-channels/throttler';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards()
@UseGuards(ChannelsThrottlerGuard)
class ThrottledGateway {
  @SubscribeMessage('say')
  say(): string {
    return 'said';
  }

  @SubscribeMessage('once')
  @Throttle({ default: { limit: 1, ttl: 30_000 } })
  once(): string {
    return 'once';
  }

  @SubscribeMessage('free')
  @SkipThrottle()
  free(): string {
    return 'free';
  }

  @SubscribeChannel('room:{id}')
  join(): void {}
}

@WebSocketGateway({ path: '/door' })
@UseHandshakeGuards(ChannelsThrottlerGuard)
class DoorGateway {}

function start(): Promise<ChannelsTestApp> {
  return startApp({
    imports: [ThrottlerModule.forRoot([{ limit: 2, ttl: 60_000 }])],
    providers: [ThrottledGateway, DoorGateway],
    channels: { session: ({ headers }) => ({ principal: String(headers['x-name'] ?? '') }) },
  });
}

const LIMITED = { code: 'rate_limited', message: 'ThrottlerException: Too Many Requests', retryable: true };

describe('ChannelsThrottlerGuard', () => {
  it('lets so many messages through, and refuses one more with the time to wait', async () => {
    const app = await start();
    const client = await app.connect('/ws');
    const answers = [await client.request('say'), await client.request('say')];

    expect(answers).toMatchObject([{ data: 'said' }, { data: 'said' }]);
    expect(await client.request('say')).toMatchObject({ error: { ...LIMITED, retryAfterMs: 60_000 } });
  });

  it('goes by the decorators of the package', async () => {
    const app = await start();
    const client = await app.connect('/ws');
    await client.request('once');
    for (let at = 0; at < 3; at += 1) await client.request('free');

    expect(await client.request('once')).toMatchObject({ error: { ...LIMITED, retryAfterMs: 30_000 } });
    expect(await client.request('free')).toMatchObject({ data: 'free' });
  });

  it('counts joins', async () => {
    const app = await start();
    const client = await app.connect('/ws');
    await client.subscribe('room:1');
    await client.subscribe('room:2');

    expect(await client.subscribe('room:3')).toMatchObject({ error: LIMITED });
  });

  it('counts the connections of a user together, and those of somebody anonymous by themselves', async () => {
    const app = await start();
    const ada = { headers: { 'x-name': 'ada' } };
    const [one, other] = [await app.connect('/ws', ada), await app.connect('/ws', ada)];
    const [stranger, another] = [await app.connect('/ws'), await app.connect('/ws')];
    for (const client of [one, other, stranger, stranger]) await client.request('say');

    expect(await one.request('say')).toMatchObject({ error: LIMITED });
    expect(await stranger.request('say')).toMatchObject({ error: LIMITED });
    expect(await another.request('say')).toMatchObject({ data: 'said' });
  });

  it('is the ThrottlerGuard on handshakes', async () => {
    const app = await start();
    await app.connect('/door');
    await app.connect('/door');

    expect(await refusalOf(app.connect('/door', { protocols: [] }))).toMatchObject({ statusCode: 429 });
  });
});

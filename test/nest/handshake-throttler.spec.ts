import type { Type } from '@nestjs/common';
import { Throttle, ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { WebSocketGateway } from '@nestjs/websockets';
import { UseHandshakeGuards, type ChannelsModuleOptions } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { WhoamiGateway } from '../support/guarded-gateway.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(ThrottlerGuard)
class ThrottledGateway extends WhoamiGateway {}

@WebSocketGateway({ path: '/other' })
@UseHandshakeGuards(ThrottlerGuard)
class OtherGateway extends WhoamiGateway {}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(ThrottlerGuard)
@Throttle({ default: { limit: 1, ttl: 60_000 } })
class StricterGateway extends WhoamiGateway {}

function start(gateways: readonly Type[], channels?: ChannelsModuleOptions): Promise<ChannelsTestApp> {
  return startApp({
    imports: [ThrottlerModule.forRoot([{ limit: 2, ttl: 60_000 }])],
    providers: [...gateways],
    channels,
  });
}

describe('ThrottlerGuard', () => {
  it('lets as many handshakes in as its limit, and refuses one more with 429', async () => {
    const app = await start([ThrottledGateway]);
    const first = await app.connect('/ws');
    const second = await app.connect('/ws');

    const refusal = await refusalOf(app.connect('/ws', { protocols: [] }));

    expect(refusal).toMatchObject({ statusCode: 429, headers: { 'retry-after': '60' } });
    expect(refusal.body).toEqual({ statusCode: 429, message: 'ThrottlerException: Too Many Requests' });
    for (const client of [first, second]) expect((await client.request('whoami')).data).toBeDefined();
  });

  it('closes a client of ours with 4429 and tells it when to come back', async () => {
    const app = await start([ThrottledGateway]);
    await app.connect('/ws');
    await app.connect('/ws');

    const refused = await app.connect('/ws');

    expect(await refused.closed).toEqual({ code: 4429, reason: '{"retryAfterMs":60000}' });
  });

  it('counts each address by itself', async () => {
    const app = await start([ThrottledGateway]);
    await app.connect('/ws', { localAddress: '127.0.0.2' });
    await app.connect('/ws', { localAddress: '127.0.0.2' });

    const other = await app.connect('/ws', { localAddress: '127.0.0.3' });

    expect((await other.request('whoami')).data).toBeDefined();
    expect(await (await app.connect('/ws', { localAddress: '127.0.0.2' })).closed).toMatchObject({
      code: 4429,
    });
  });

  it('counts each address behind a trusted proxy by itself', async () => {
    const app = await start([ThrottledGateway], { trustProxy: true });
    const from = (address: string): object => ({ headers: { 'x-forwarded-for': address } });
    await app.connect('/ws', from('203.0.113.1'));
    await app.connect('/ws', from('203.0.113.1'));

    const other = await app.connect('/ws', from('203.0.113.2'));

    expect((await other.request('whoami')).data).toBeDefined();
    expect(await (await app.connect('/ws', from('203.0.113.1'))).closed).toMatchObject({ code: 4429 });
  });

  it('does not let a client forge its address when no proxy is trusted', async () => {
    const app = await start([ThrottledGateway]);
    await app.connect('/ws', { headers: { 'x-forwarded-for': '203.0.113.1' } });
    await app.connect('/ws', { headers: { 'x-forwarded-for': '203.0.113.2' } });

    const third = await app.connect('/ws', { headers: { 'x-forwarded-for': '203.0.113.3' } });

    expect(await third.closed).toMatchObject({ code: 4429 });
  });

  it('counts each gateway by itself', async () => {
    const app = await start([ThrottledGateway, OtherGateway]);
    await app.connect('/ws');
    await app.connect('/ws');

    const other = await app.connect('/other');

    expect((await other.request('whoami')).data).toBeDefined();
  });

  it('honours the limit that the gateway itself gives', async () => {
    const app = await start([StricterGateway]);
    await app.connect('/ws');

    const second = await app.connect('/ws');

    expect(await second.closed).toMatchObject({ code: 4429 });
  });
});

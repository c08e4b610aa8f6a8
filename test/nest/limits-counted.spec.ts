import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, SubscribeChannel, type ChannelsModuleOptions } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';
import { TokenRig } from '../support/token-rig.js';

let release = new Deferred();

@WebSocketGateway({ path: '/ws' })
class BusyGateway {
  @SubscribeMessage('wait')
  wait(): Promise<void> {
    return release.promise;
  }

  @SubscribeMessage('order')
  @Acked({ concurrent: true })
  order(): Promise<void> {
    return release.promise;
  }

  @SubscribeChannel('room:{id}')
  join(): void {}
}

async function start(channels: ChannelsModuleOptions) {
  release = new Deferred();
  const observer = new RecordingObserver();
  const app = await startApp({ providers: [BusyGateway], channels: { ...channels, observers: [observer] } });
  return { client: await app.connect('/ws'), observer };
}

describe('a limit that is passed', () => {
  it('is counted as rate_limited past maxInFlight, and not at it', async () => {
    const { client, observer } = await start({ maxInFlight: 2 });

    for (const id of [1, 2]) client.send({ event: 'wait', id });
    await client.request('$ping');
    expect(observer.faults).toEqual([]);
    const refused = await client.request('wait');

    expect(refused.error?.code).toBe('rate_limited');
    expect(observer.faults).toEqual(['rate_limited']);
    release.resolve();
  });

  it('is counted as limit_exceeded past maxChannelsPerConnection, and not at it', async () => {
    const { client, observer } = await start({ maxChannelsPerConnection: 2 });

    for (const id of [1, 2]) expect((await client.subscribe(`room:${id}`)).error).toBeUndefined();
    expect(observer.faults).toEqual([]);
    const refused = await client.subscribe('room:3');

    expect(refused.error?.code).toBe('limit_exceeded');
    expect(observer.faults).toEqual(['limit_exceeded']);
  });

  it('is counted as rate_limited where the store of answers is full of handlers that run', async () => {
    // A client has 384 bytes, and one entry 512 and its answer: there is room for one.
    const { client, observer } = await start({ maxDedupBytes: 1_000, maxDedupBytesPerPrincipal: 1_000 });

    client.send({ event: 'order', id: 'a' });
    await client.request('$ping');
    expect(observer.faults).toEqual([]);
    const refused = await client.request('order', 1, { id: 'b' });

    expect(refused.error?.code).toBe('rate_limited');
    expect(observer.faults).toEqual(['rate_limited']);
    release.resolve();
  });

  it('is counted as rate_limited past one $refresh under way or within a second, and not at it', async () => {
    const observer = new RecordingObserver();
    const rig = await TokenRig.start({ observers: [observer] });
    const client = await rig.enter(600);

    expect((await client.request('$refresh', { token: rig.token(900) })).error).toBeUndefined();
    await rig.clock.advance(1_000);
    expect((await client.request('$refresh', { token: rig.token(900) })).error).toBeUndefined();
    expect(observer.faults).toEqual([]);
    await rig.clock.advance(900);
    const refused = await client.request('$refresh', { token: rig.token(900) });
    await rig.clock.advance(100);
    const later = await client.request('$refresh', { token: rig.token(900) });

    expect(refused.error).toMatchObject({ code: 'rate_limited', retryAfterMs: 100 });
    expect(later.error).toBeUndefined();
    expect(observer.faults).toEqual(['rate_limited']);
  });

  it('is counted as limit_exceeded past the params that are kept for a $refresh, and not at them', async () => {
    const observer = new RecordingObserver();
    const rig = await TokenRig.start({ observers: [observer], maxMessageBytes: 1_024 });
    const client = await rig.enter(600);
    // Each with two quotes of JSON.
    const params = 'x'.repeat(510);
    const join = (room: string) => client.request('$subscribe', { channel: `room:${room}`, params });

    expect([(await join('a')).error, (await join('b')).error]).toEqual([undefined, undefined]);
    expect(observer.faults).toEqual([]);
    const refused = await client.request('$subscribe', { channel: 'room:c', params: 1 });

    expect(refused.error?.code).toBe('limit_exceeded');
    expect(observer.faults).toEqual(['limit_exceeded']);
  });

  it('is counted as rate_limited past two commands under way for each channel, and not at them', async () => {
    const observer = new RecordingObserver();
    const rig = await TokenRig.start({ observers: [observer], maxChannelsPerConnection: 1 });
    const client = await rig.enter(600);
    const joining = new Deferred();
    rig.desk.decide = () => joining.promise;

    client.send({ event: '$subscribe', id: 'a', data: { channel: 'room:a' } });
    client.send({ event: '$unsubscribe', id: 'b', data: { channel: 'room:a' } });
    await client.request('$ping');
    expect(observer.faults).toEqual([]);
    const refused = await client.request('$unsubscribe', { channel: 'room:a' });
    joining.resolve();

    expect(refused.error?.code).toBe('rate_limited');
    expect(observer.faults).toEqual(['rate_limited']);
  });
});

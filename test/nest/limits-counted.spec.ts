import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, SubscribeChannel, type ChannelsModuleOptions } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

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
    // One entry has 512 bytes and its answer: there is room for one.
    const { client, observer } = await start({ maxDedupBytes: 1_000, maxDedupBytesPerPrincipal: 1_000 });

    client.send({ event: 'order', id: 'a' });
    await client.request('$ping');
    expect(observer.faults).toEqual([]);
    const refused = await client.request('order', 1, { id: 'b' });

    expect(refused.error?.code).toBe('rate_limited');
    expect(observer.faults).toEqual(['rate_limited']);
    release.resolve();
  });
});

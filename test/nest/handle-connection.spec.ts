import { HttpException } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ChannelSocket } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** What the gateways of this file do in their hooks, and what was called. */
class Script {
  readonly calls: string[] = [];
  readonly disconnected = new Deferred();
  first: (client: ChannelSocket) => unknown = () => undefined;
  second: (client: ChannelSocket) => unknown = () => undefined;
}

@WebSocketGateway({ path: '/ws' })
class FirstGateway {
  constructor(private readonly script: Script) {}

  handleConnection(client: ChannelSocket): unknown {
    this.script.calls.push('first connected');
    return this.script.first(client);
  }

  handleDisconnect(): void {
    this.script.calls.push('first disconnected');
  }

  @SubscribeMessage('note')
  note(@MessageBody() data: unknown): unknown {
    this.script.calls.push('handled');
    return data;
  }
}

@WebSocketGateway({ path: '/ws' })
class SecondGateway {
  constructor(private readonly script: Script) {}

  handleConnection(client: ChannelSocket): unknown {
    this.script.calls.push('second connected');
    return this.script.second(client);
  }

  handleDisconnect(): void {
    this.script.calls.push('second disconnected');
    this.script.disconnected.resolve();
  }
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly script: Script;
  readonly observer: RecordingObserver;
}

async function start(clock?: TestClock): Promise<Rig> {
  const script = new Script();
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [FirstGateway, SecondGateway, { provide: Script, useValue: script }],
    channels: {
      handlerTimeoutMs: 1_000,
      heartbeatIntervalMs: 0,
      heartbeatTimeoutMs: 0,
      observers: [observer],
    },
    clock,
  });
  return { app, script, observer };
}

/** Connects, and says something at once. */
async function connectAndSpeak({ app }: Rig, protocols?: string[]): Promise<TestClient> {
  const client = await app.connect('/ws', { protocols });
  client.send({ event: 'note', data: 1, id: 1 });
  return client;
}

const PLAIN: string[] = [];

describe('a handleConnection that fails', () => {
  it.each([
    [401, 4501],
    [403, 4503],
    [404, 4504],
    [413, 1009],
    [418, 4503],
    [429, 4429],
    [500, 1011],
    [503, 1013],
  ])('closes by the status %i of its HttpException with %i, and handles nothing', async (status, code) => {
    const rig = await start();
    rig.script.first = () => Promise.reject(new HttpException('not you', status));

    const client = await connectAndSpeak(rig);
    const closed = await client.closed;
    await rig.script.disconnected.promise;

    expect(closed.code).toBe(code);
    expect(client.frames).toEqual([]);
    expect(rig.script.calls).toEqual([
      'first connected',
      'second connected',
      'first disconnected',
      'second disconnected',
    ]);
  });

  it('closes a plain connection by the same map', async () => {
    const rig = await start();
    rig.script.first = () => Promise.reject(new HttpException('who', 401));

    const client = await connectAndSpeak(rig, PLAIN);

    expect((await client.closed).code).toBe(4501);
    expect(client.frames).toEqual([]);
  });

  it('closes by the status of what it throws at once', async () => {
    const rig = await start();
    rig.script.first = () => {
      throw new HttpException('not you', 403);
    };

    const client = await connectAndSpeak(rig);

    expect((await client.closed).code).toBe(4503);
    expect(client.frames).toEqual([]);
  });

  it('closes with 1011, and reports why, where it is no HttpException', async () => {
    const rig = await start();
    const error = new Error('the database is away');
    rig.script.first = () => Promise.reject(error);

    const client = await connectAndSpeak(rig);

    expect(await client.closed).toEqual({ code: 1011, reason: '' });
    expect(rig.observer.failures).toEqual([{ where: 'handleConnection', error }]);
  });

  it('refuses for all gateways of the path, once every one of them has settled', async () => {
    const rig = await start();
    const busy = new Deferred();
    const denied = new Deferred();
    rig.script.first = () => busy.promise;
    rig.script.second = () => denied.promise;
    const client = await connectAndSpeak(rig);
    let closed = false;
    void client.closed.then(() => (closed = true));

    denied.reject(new HttpException('not here', 403));
    rig.script.calls.push('denied');
    const other = await rig.app.connect('/ws', { protocols: PLAIN });
    const closedWhileBusy = closed;
    busy.resolve();
    const { code } = await client.closed;

    expect(closedWhileBusy).toBe(false);
    expect(code).toBe(4503);
    expect(rig.script.calls).not.toContain('handled');
    other.terminate();
  });

  it('reports the failure of a second gateway, too', async () => {
    const rig = await start();
    const second = new Error('the second');
    rig.script.first = () => Promise.reject(new HttpException('not you', 401));
    rig.script.second = () => Promise.reject(second);

    const client = await connectAndSpeak(rig);

    expect((await client.closed).code).toBe(4501);
    expect(rig.observer.failures).toEqual([{ where: 'handleConnection', error: second }]);
  });
});

describe('a handleConnection that takes its time', () => {
  it('closes with 1011 when it takes longer than handlerTimeoutMs, and handles nothing', async () => {
    const clock = new TestClock();
    const rig = await start(clock);
    const connecting = new Deferred();
    rig.script.first = () => connecting.promise;
    const client = await connectAndSpeak(rig);

    await clock.advance(999);
    const closesInTime = [...rig.observer.closes];
    await clock.advance(1);
    const { code } = await client.closed;
    connecting.resolve();
    await rig.script.disconnected.promise;

    expect(closesInTime).toEqual([]);
    expect(code).toBe(1011);
    expect(rig.script.calls).not.toContain('handled');
  });

  it('does not run handleDisconnect before it has settled', async () => {
    const rig = await start();
    const connecting = new Deferred();
    rig.script.first = (client) => {
      // More than may wait: the connection ends while its handleConnection still runs.
      for (const _ of [1, 2]) client.push('much', 'x'.repeat(1_048_576));
      return connecting.promise;
    };

    const socket = await RawSocket.connect(rig.app.port);
    socket.write(upgradeRequest('/ws'));
    await rig.observer.until(({ closes }) => closes.length === 1);
    rig.script.calls.push('connected');
    connecting.resolve();
    await rig.script.disconnected.promise;

    expect(rig.script.calls).toEqual([
      'first connected',
      'second connected',
      'connected',
      'first disconnected',
      'second disconnected',
    ]);
  });

  it('lets the server send meanwhile', async () => {
    const rig = await start();
    const connecting = new Deferred();
    rig.script.first = (client) => {
      client.push('hello', { from: 'handleConnection' });
      return connecting.promise;
    };

    const client = await connectAndSpeak(rig);
    const pushed = await client.next();
    connecting.resolve();

    expect(pushed).toEqual({ event: 'hello', data: { from: 'handleConnection' } });
    expect(await client.next()).toEqual({ ack: 1, data: 1 });
  });
});

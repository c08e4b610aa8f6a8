import { createHash } from 'node:crypto';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  SubscribeChannel,
  TokenHandshakeGuard,
  UseHandshakeGuards,
  type ChannelsModuleOptions,
} from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

const CLIENT_ID = 'mJ3vQ9tYx0aLr7KcWb5eZg';

/** The token is the name of the user. */
class NameGuard extends TokenHandshakeGuard {
  override authenticate(token: string): { sub: string } {
    return { sub: token };
  }
}

@WebSocketGateway({ path: '/ws' })
class EchoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeMessage('echo.acked')
  @Acked()
  echoAcked(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeChannel('room:{id}')
  join(): void {}
}

@WebSocketGateway({ path: '/users' })
@UseHandshakeGuards(NameGuard)
class UserGateway extends EchoGateway {}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly observer: RecordingObserver;
}

async function start(channels: ChannelsModuleOptions = {}): Promise<Rig> {
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [EchoGateway, UserGateway],
    channels: { ...channels, observers: [observer] },
  });
  return { app, observer };
}

function badRequest(message: unknown = expect.any(String)): object {
  return { code: 'bad_request', message, retryable: false };
}

describe('$hello', () => {
  it('is acked with the connection, its limits and the heartbeat', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');

    const answer = await client.request('$hello', undefined, { id: 1 });

    const { connections } = await app.channels.connections();
    expect(answer).toEqual({
      ack: 1,
      data: {
        connectionId: connections[0]?.id,
        principal: '',
        heartbeat: { intervalMs: 25_000, clientTimeoutMs: 40_000 },
        limits: {
          maxMessageBytes: 65_536,
          maxNesting: 32,
          maxEventLength: 128,
          maxChannelsPerConnection: 128,
          maxInFlight: 64,
          dedupWindowMs: 300_000,
        },
      },
    });
  });

  it('tells the values in force', async () => {
    const limits = {
      maxMessageBytes: 1_000,
      maxNesting: 5,
      maxEventLength: 10,
      maxChannelsPerConnection: 3,
      maxInFlight: 2,
      dedupWindowMs: 60_000,
    };
    const { app } = await start({ ...limits, heartbeatIntervalMs: 7_000, clientTimeoutMs: 9_000 });
    const client = await app.connect('/ws');

    const { data } = await client.hello();

    expect(data).toMatchObject({ limits, heartbeat: { intervalMs: 7_000, clientTimeoutMs: 9_000 } });
  });

  it('tags the principal with the first 16 bytes of its SHA-256, the same for every connection', async () => {
    const { app } = await start();
    const clients = await Promise.all(['ada', 'ada', 'bob'].map((token) => app.connect('/users', { token })));

    const welcomes = await Promise.all(clients.map((client) => client.hello()));

    const tags = welcomes.map(({ data }) => (data as { principal: string }).principal);
    expect(tags).toEqual(['ada', 'ada', 'bob'].map(tagOf));
  });

  it.each([
    ['another $hello', { event: '$hello', id: 'first' }],
    ['a message to an @Acked handler', { event: 'echo.acked', id: 'first' }],
    ['one without an id', { event: 'echo.acked' }],
  ])('comes too late after %s', async (_, before) => {
    const { app } = await start();
    const client = await app.connect('/ws');

    client.send(before);
    const answer = await client.hello();

    expect(answer.error).toEqual(badRequest());
  });

  it('may come after messages to other handlers', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');

    await client.request('echo');
    await client.request('$ping');
    await client.subscribe('room:1');

    expect(await client.hello({ clientId: CLIENT_ID })).toMatchObject({ data: { principal: '' } });
  });

  it.each([
    ['21 characters', 'a'.repeat(21)],
    ['65 characters', 'a'.repeat(65)],
    ['another alphabet', `${'a'.repeat(21)}+`],
    ['a line break at its end', `${'a'.repeat(22)}\n`],
    ['a number', 12_345],
    ['null', null],
  ])('is refused with a clientId of %s, and may be said again', async (_, clientId) => {
    const { app } = await start();
    const client = await app.connect('/ws');

    const refused = await client.hello({ clientId });
    const accepted = await client.hello({ clientId: CLIENT_ID });

    expect(refused.error).toEqual(badRequest(expect.stringContaining('clientId')));
    expect(accepted).not.toHaveProperty('error');
  });

  it.each([22, 64])('takes a clientId of %i characters', async (length) => {
    const { app } = await start();
    const client = await app.connect('/ws');

    expect(await client.hello({ clientId: 'aZ09_-'.padEnd(length, 'x') })).not.toHaveProperty('error');
  });

  it.each([1, 'true', null, {}])('is refused with the heartbeat %j', async (heartbeat) => {
    const { app } = await start();
    const client = await app.connect('/ws');

    const { error } = await client.hello({ heartbeat });

    expect(error).toEqual(badRequest(expect.stringContaining('heartbeat')));
  });

  it.each([[null], ['text'], [5], [[]], [true]])('is refused with the data %j', async (data) => {
    const { app } = await start();
    const client = await app.connect('/ws');

    expect((await client.request('$hello', data)).error).toEqual(badRequest());
  });
});

describe('a second connection of the same client', () => {
  it('closes the older one with 4509', async () => {
    const { app } = await start();
    const [older, newer] = await Promise.all([1, 2].map(() => app.connect('/users', { token: 'ada' })));
    await older?.hello({ clientId: CLIENT_ID });

    await newer?.hello({ clientId: CLIENT_ID });

    expect((await older?.closed)?.code).toBe(4509);
    expect(await newer?.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('closes anonymous ones, too', async () => {
    const { app } = await start();
    const [older, newer] = await Promise.all([1, 2].map(() => app.connect('/ws')));
    await older?.hello({ clientId: CLIENT_ID });

    await newer?.hello({ clientId: CLIENT_ID });

    expect((await older?.closed)?.code).toBe(4509);
  });

  it.each([
    ['another principal', { token: 'bob' }, CLIENT_ID],
    ['another clientId', { token: 'ada' }, `${CLIENT_ID}2`],
    ['no clientId', { token: 'ada' }, undefined],
  ])('is none with %s', async (_, options, clientId) => {
    const { app, observer } = await start();
    const older = await app.connect('/users', { token: 'ada' });
    const newer = await app.connect('/users', options);

    await older.hello({ clientId: CLIENT_ID });
    await newer.hello({ clientId });

    expect(await older.request('echo', 1)).toMatchObject({ data: 1 });
    expect(observer.closes).toEqual([]);
  });

  it('is none where neither has a clientId', async () => {
    const { app, observer } = await start();
    const [older, newer] = [await app.connect('/ws'), await app.connect('/ws')];

    await older.hello();
    await newer.hello();

    expect(await older.request('echo', 1)).toMatchObject({ data: 1 });
    expect(observer.closes).toEqual([]);
  });
});

function tagOf(principal: string): string {
  return createHash('sha256').update(principal).digest().subarray(0, 16).toString('base64url');
}

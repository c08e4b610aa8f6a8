import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { ChannelsError } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };
const NOT_JSON = '{"event":"echo",';

@WebSocketGateway({ path: '/ws' })
class EchoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return { event: 'echoed', data };
  }

  @SubscribeMessage('fail')
  fail(@MessageBody() data: string): never {
    throw data === 'unknown' ? new Error('secret') : new WsException('failed');
  }

  @SubscribeMessage('refuse')
  refuse(): never {
    throw new ChannelsError('conflict', 'taken', { details: { by: 'Ada' } });
  }
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly clock: TestClock;
  readonly observer: RecordingObserver;
}

async function start(): Promise<Rig> {
  const clock = new TestClock();
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [EchoGateway],
    channels: { heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0, observers: [observer] },
    clock,
  });
  return { app, clock, observer };
}

/** All that the client has been sent before the answer to one more message. */
async function framesOf(client: TestClient): Promise<unknown[]> {
  client.send({ event: 'echo', data: 'fence' });
  await client.waitFor({ event: 'echoed', data: 'fence' });
  return client.frames.filter((frame) => JSON.stringify(frame) !== '{"event":"echoed","data":"fence"}');
}

function sendTimes(client: TestClient, count: number, text = NOT_JSON): void {
  for (let sent = 0; sent < count; sent++) client.sendRaw(text);
}

const BAD_FRAME = {
  event: 'exception',
  data: { status: 'error', code: 'bad_frame', message: 'a message must be JSON' },
};

describe('a message without an id', () => {
  it("is answered with Nest's body, cause included, where the handler throws", async () => {
    const { app } = await start();
    const client = await app.connect('/ws', PLAIN);

    client.send({ event: 'fail', data: { a: 1 } });
    client.send({ event: 'fail', data: 'unknown' });
    const frames = await framesOf(client);

    expect(frames).toEqual([
      {
        event: 'exception',
        data: { status: 'error', message: 'failed', cause: { pattern: 'fail', data: { a: 1 } } },
      },
      {
        event: 'exception',
        data: {
          status: 'error',
          message: 'Internal server error',
          cause: { pattern: 'fail', data: 'unknown' },
        },
      },
    ]);
  });

  it('is answered with the code as well where the handler throws a ChannelsError', async () => {
    const { app } = await start();
    const client = await app.connect('/ws', PLAIN);

    client.send({ event: 'refuse' });

    expect(await client.next()).toEqual({
      event: 'exception',
      data: { status: 'error', code: 'conflict', message: 'taken', cause: { pattern: 'refuse' } },
    });
  });

  it('is answered by the same body on a connection of ours', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');

    client.send({ event: 'fail', data: 1 });

    expect(await client.next()).toMatchObject({ data: { message: 'failed', cause: { pattern: 'fail' } } });
  });
});

describe('a fault on a plain connection', () => {
  it.each([
    ['text that is no JSON', NOT_JSON, 'bad_frame'],
    ['an unknown event', '{"event":"nothing"}', 'unknown_event'],
    ['a forbidden key', '{"event":"echo","__proto__":1}', 'bad_request'],
  ])('is told by an exception: %s', async (_, text, code) => {
    const { app, observer } = await start();
    const client = await app.connect('/ws', PLAIN);

    client.sendRaw(text);

    expect(await client.next()).toMatchObject({ event: 'exception', data: { status: 'error', code } });
    expect(observer.faults).toEqual([code]);
  });

  it('is told at most once a second, and counted each time', async () => {
    const { app, clock, observer } = await start();
    const client = await app.connect('/ws', PLAIN);

    sendTimes(client, 3);
    await framesOf(client);
    await clock.advance(999);
    sendTimes(client, 1, '{"event":"nothing"}');
    const inTheFirstSecond = await framesOf(client);
    await clock.advance(1);
    sendTimes(client, 2);
    const later = await framesOf(client);

    expect(inTheFirstSecond).toEqual([BAD_FRAME]);
    expect(later).toEqual([BAD_FRAME, BAD_FRAME]);
    expect(observer.faults).toHaveLength(6);
  });

  it('does not hold back what a handler throws', async () => {
    const { app } = await start();
    const client = await app.connect('/ws', PLAIN);

    sendTimes(client, 1);
    sendTimes(client, 3, '{"event":"fail"}');
    const frames = await framesOf(client);

    expect(frames).toHaveLength(4);
  });

  it('never closes it', async () => {
    const { app, observer } = await start();
    const client = await app.connect('/ws', PLAIN);

    sendTimes(client, 100);
    await framesOf(client);

    expect(observer.faults).toHaveLength(100);
    expect(observer.closes).toEqual([]);
  });
});

describe('a bad frame on a connection of ours', () => {
  it('is told each time, and the tenth within ten seconds closes with 4500', async () => {
    const { app, clock } = await start();
    const client = await app.connect('/ws');

    sendTimes(client, 9);
    const frames = await framesOf(client);
    await clock.advance(10_000);
    sendTimes(client, 1);
    const { code } = await client.closed;

    expect(frames).toEqual(Array.from({ length: 9 }, () => BAD_FRAME));
    expect(client.frames.at(-1)).toEqual(BAD_FRAME);
    expect(code).toBe(4500);
  });

  it('does not close where the ten take longer than ten seconds', async () => {
    const { app, clock, observer } = await start();
    const client = await app.connect('/ws');

    sendTimes(client, 1);
    await framesOf(client);
    await clock.advance(10_001);
    sendTimes(client, 9);
    await framesOf(client);

    expect(observer.faults).toHaveLength(10);
    expect(observer.closes).toEqual([]);
  });

  it('closes a plain connection, too, that has sent a $ frame', async () => {
    const { app } = await start();
    const client = await app.connect('/ws', PLAIN);

    sendTimes(client, 20);
    client.send({ event: '$ping' });
    sendTimes(client, 10);

    expect((await client.closed).code).toBe(4500);
  });

  it('does not count what can be read but is refused', async () => {
    const { app, observer } = await start();
    const client = await app.connect('/ws');

    sendTimes(client, 20, '{"event":"nothing"}');
    sendTimes(client, 20, '{"event":"echo","__proto__":1}');
    sendTimes(client, 20, '{"ack":1}');
    await framesOf(client);

    expect(observer.closes).toEqual([]);
  });
});

describe.each([
  ['ours', {}],
  ['plain', PLAIN],
])('a keep-alive on a connection that is %s', (_, options) => {
  it.each(['ping', '{"type":"ping"}', '{"type":"ping","at":1}'])(
    'draws nothing and closes nobody: %s',
    async (text) => {
      const { app, observer } = await start();
      const client = await app.connect('/ws', options);

      sendTimes(client, 30, text);
      const frames = await framesOf(client);

      expect(frames).toEqual([]);
      expect(observer.closes).toEqual([]);
      expect(new Set(observer.faults)).toEqual(new Set(['keep_alive']));
    },
  );

  it('is none where it has an event', async () => {
    const { app } = await start();
    const client = await app.connect('/ws', options);

    client.send({ type: 'ping', event: 5 });
    client.send({ type: 'ping', event: 'echo', data: 1 });

    expect(await client.next()).toMatchObject({ data: { code: 'bad_frame' } });
    expect(await client.next()).toEqual({ event: 'echoed', data: 1 });
  });
});

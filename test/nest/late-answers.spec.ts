import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ChannelSocket } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** Lets a test decide what a handler returns. */
class Script {
  answer: (data: unknown, client: ChannelSocket) => unknown = (data) => data;
}

@WebSocketGateway({ path: '/ws' })
class ScriptedGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('run')
  run(@MessageBody() data: unknown, @ConnectedSocket() client: ChannelSocket): unknown {
    return this.script.answer(data, client);
  }

  @SubscribeMessage('fence')
  fence(): void {}
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly client: TestClient;
  readonly script: Script;
  readonly observer: RecordingObserver;
}

async function start(clock?: TestClock): Promise<Rig> {
  const script = new Script();
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [ScriptedGateway, { provide: Script, useValue: script }],
    channels: {
      handlerTimeoutMs: 1_000,
      heartbeatIntervalMs: 0,
      heartbeatTimeoutMs: 0,
      observers: [observer],
    },
    clock,
  });
  return { app, script, observer, client: await app.connect('/ws') };
}

/** Everything that the client has been sent, up to the answer to one more request. */
async function framesOf(client: TestClient): Promise<unknown[]> {
  await client.request('fence', undefined, { id: 'last' });
  return client.frames.slice(0, -1);
}

describe('a handler that takes too long', () => {
  it('is answered timeout, and what it gives later is dropped', async () => {
    const clock = new TestClock();
    const { client, script, observer } = await start(clock);
    const work = new Deferred<string>();
    script.answer = () => work.promise;
    client.send({ event: 'run', id: 1 });
    await framesOf(client);

    await clock.advance(999);
    const inTime = client.frames.length;
    await clock.advance(1);
    const answer = await client.waitFor({ ack: 1 });
    work.resolve('late');
    await work.promise;

    expect(inTime).toBe(1);
    expect(answer).toEqual({
      ack: 1,
      error: { code: 'timeout', message: 'the handler took longer than 1000 ms', retryable: true },
    });
    expect((await framesOf(client)).filter((frame) => frame !== answer)).toEqual([
      expect.objectContaining({ ack: 'last' }),
    ]);
    expect(observer.acks).toContain('run timeout');
  });

  it('is not limited where nobody waits for an answer', async () => {
    const clock = new TestClock();
    const { client, script } = await start(clock);
    const work = new Deferred<object>();
    script.answer = () => work.promise;
    client.send({ event: 'run' });
    await framesOf(client);

    await clock.advance(5_000);
    work.resolve({ event: 'finished', data: 1 });

    expect(await client.waitFor({ event: 'finished' })).toEqual({ event: 'finished', data: 1 });
  });
});

describe('a failure that comes too late to be answered', () => {
  it('is reported after a timeout', async () => {
    const clock = new TestClock();
    const { client, script, observer } = await start(clock);
    const work = new Deferred();
    const error = new Error('too late');
    script.answer = () => work.promise;
    client.send({ event: 'run', id: 1 });
    await framesOf(client);

    await clock.advance(1_000);
    work.reject(error);
    await framesOf(client);

    expect(client.frames.filter((frame) => (frame as { ack: unknown }).ack === 1)).toHaveLength(1);
    expect(observer.failures).toEqual([{ where: 'run', error }]);
  });

  it('is reported after the end of the connection', async () => {
    const { client, script, observer } = await start();
    const [work, running] = [new Deferred(), new Deferred()];
    const error = new Error('too late');
    script.answer = () => {
      running.resolve();
      return work.promise;
    };
    client.send({ event: 'run', id: 1 });
    await running.promise;

    client.terminate();
    await observer.until(({ closes }) => closes.length === 1);
    work.reject(error);
    await observer.until(({ failures }) => failures.length > 0);

    expect(observer.failures).toEqual([{ where: 'run', error }]);
  });
});

describe('a connection that ends while handlers run', () => {
  it.each(['resolve', 'reject'] as const)('takes no harm from those that %s later', async (end) => {
    const { app, client, script, observer } = await start();
    const work = new Deferred<unknown>();
    const socket = new Deferred<ChannelSocket>();
    script.answer = (_, own) => {
      socket.resolve(own);
      return work.promise;
    };
    client.send({ event: 'run', id: 1 });
    await socket.promise;

    client.terminate();
    await observer.until(({ closes }) => closes.length === 1);
    work[end](new Error('too late'));
    (await socket.promise).push('too.late');
    const other = await app.connect('/ws');

    expect(await other.request('fence')).not.toHaveProperty('error');
    expect(observer.acks).toEqual(['fence done']);
  });
});

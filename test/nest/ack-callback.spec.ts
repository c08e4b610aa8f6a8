import {
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Ack, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { of, type Observable } from 'rxjs';
import { ignoreElements } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { startApp } from '../support/start-app.js';

type Acknowledge = (value?: unknown) => void;

/** Lets a test decide what a handler does with the callback of Nest's own `@Ack()`. */
class Script {
  run: (ack: Acknowledge, data: unknown) => unknown = (ack, data) => ack(data);
}

class MutingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(ignoreElements());
  }
}

@WebSocketGateway({ path: '/ws' })
class CallbackGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('run')
  run(@Ack() ack: Acknowledge, @MessageBody() data: unknown): unknown {
    return this.script.run(ack, data);
  }

  @SubscribeMessage('run.acked')
  @Acked()
  runAcked(@MessageBody() data: unknown, @Ack() ack: Acknowledge): unknown {
    return this.script.run(ack, data);
  }

  @SubscribeMessage('run.intercepted')
  @UseInterceptors(MutingInterceptor)
  runIntercepted(@Ack() ack: Acknowledge, @MessageBody() data: unknown): unknown {
    return this.script.run(ack, data);
  }

  @SubscribeMessage('ack.type')
  ackType(@Ack() ack: unknown): string {
    return typeof ack;
  }

  @SubscribeMessage('fence')
  fence(): string {
    return 'fence';
  }
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly client: TestClient;
  readonly script: Script;
}

async function start(clock?: TestClock): Promise<Rig> {
  const script = new Script();
  const app = await startApp({
    providers: [CallbackGateway, { provide: Script, useValue: script }],
    channels: { handlerTimeoutMs: 1_000, heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0 },
    clock,
  });
  return { app, script, client: await app.connect('/ws') };
}

/** Everything that the client has been sent, up to the answer to one more request. */
async function framesOf(client: TestClient): Promise<unknown[]> {
  const fence = await client.request('fence');
  return client.frames.filter((frame) => frame !== fence);
}

describe("a handler with Nest's @Ack()", () => {
  it.each(['run', 'run.acked', 'run.intercepted'])(
    'answers %s with what the callback is given',
    async (event) => {
      const { client } = await start();

      const answer = await client.request(event, { a: 1 }, { id: 1 });

      expect(answer).toEqual({ ack: 1, data: { a: 1 } });
    },
  );

  it('answers with the data of an { event, data } that the callback is given', async () => {
    const { client, script } = await start();
    script.run = (ack) => ack({ event: 'reply', data: 5 });

    expect(await client.request('run', undefined, { id: 1 })).toEqual({ ack: 1, data: 5 });
  });

  it('answers without data where the callback is given nothing', async () => {
    const { client, script } = await start();
    script.run = (ack) => ack();

    expect(await client.request('run', undefined, { id: 1 })).toEqual({ ack: 1 });
  });

  it('answers once the promise of the handler has resolved as well', async () => {
    const { client, script } = await start();
    const work = new Deferred();
    script.run = (ack) => {
      ack('early');
      return work.promise;
    };

    client.send({ event: 'run', id: 1 });
    const before = await framesOf(client);
    work.resolve();

    expect(before).toEqual([]);
    expect(await client.waitFor({ ack: 1 })).toEqual({ ack: 1, data: 'early' });
  });

  it('answers when the callback is called after the promise of the handler has resolved', async () => {
    const { client, script } = await start();
    const called = new Deferred<Acknowledge>();
    script.run = (ack) => called.resolve(ack);

    client.send({ event: 'run', id: 1 });
    const acknowledge = await called.promise;
    const before = await framesOf(client);
    acknowledge('late');

    expect(before).toEqual([]);
    expect(await client.waitFor({ ack: 1 })).toEqual({ ack: 1, data: 'late' });
  });

  it('answers with the first of two calls, and once', async () => {
    const { client, script } = await start();
    script.run = (ack) => {
      ack('first');
      ack('second');
    };

    await client.request('run', undefined, { id: 1 });

    expect(await framesOf(client)).toEqual([{ ack: 1, data: 'first' }]);
  });

  it('answers with the error alone where the handler throws after the call', async () => {
    const { client, script } = await start();
    script.run = (ack) => {
      ack('done');
      throw new Error('after all');
    };

    await client.request('run', undefined, { id: 1 });

    expect(await framesOf(client)).toEqual([
      { ack: 1, error: expect.objectContaining({ code: 'internal' }) },
    ]);
  });

  it('answers timeout where the callback is never called, and drops a later call', async () => {
    const clock = new TestClock();
    const { client, script } = await start(clock);
    const called = new Deferred<Acknowledge>();
    script.run = (ack) => called.resolve(ack);
    client.send({ event: 'run', id: 1 });
    const acknowledge = await called.promise;

    await clock.advance(1_000);
    const answer = await client.waitFor({ ack: 1 });
    acknowledge('too late');

    expect(answer).toMatchObject({ error: { code: 'timeout', retryable: true } });
    expect(await framesOf(client)).toEqual([answer]);
  });

  it('sends what it returns as a plain message beside the answer', async () => {
    const { client, script } = await start();
    script.run = (ack) => {
      ack('answer');
      return { event: 'also', data: 1 };
    };

    await client.request('run', undefined, { id: 1 });

    expect(await framesOf(client)).toEqual([
      { event: 'also', data: 1 },
      { ack: 1, data: 'answer' },
    ]);
  });

  it('sends the last item of a stream that it returns as a plain message', async () => {
    const { client, script } = await start();
    script.run = (ack) => {
      ack('answer');
      return of({ event: 'also', data: 1 }, { event: 'also', data: 2 });
    };

    await client.request('run', undefined, { id: 1 });

    expect(await framesOf(client)).toContainEqual({ event: 'also', data: 2 });
  });

  it('gets no callback for a message without an id, as in the stock adapter', async () => {
    const { app } = await start();
    const plain = await app.connect('/ws', { protocols: [] });

    plain.send({ event: 'ack.type' });

    expect(await plain.next()).toBe('undefined');
  });
});

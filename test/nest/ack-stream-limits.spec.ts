import {
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { EMPTY, NEVER, Observable, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { watchProcess } from '../support/process-faults.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** Lets a test decide what a handler returns. */
class Script {
  stream: () => unknown = () => EMPTY;
}

class PassingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@WebSocketGateway({ path: '/ws' })
class StreamGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('stream')
  stream(): unknown {
    return this.script.stream();
  }

  @SubscribeMessage('stream.promised')
  async promised(): Promise<unknown> {
    await Promise.resolve();
    return this.script.stream();
  }

  @SubscribeMessage('stream.intercepted')
  @UseInterceptors(PassingInterceptor)
  intercepted(): unknown {
    return this.script.stream();
  }

  @SubscribeMessage('stream.acked')
  @Acked()
  acked(): unknown {
    return this.script.stream();
  }
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
    providers: [StreamGateway, { provide: Script, useValue: script }],
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

describe('the stream of a handler', () => {
  it.each([
    ['stream', 1],
    ['stream.promised', 1],
    ['stream.intercepted', 1],
    // With an `id` its last value is the stored answer, see acked-once.spec.ts.
    ['stream.acked', undefined],
  ])('is unsubscribed from %s with the id %s when the connection closes', async (event, id) => {
    const { client, script } = await start();
    const subscribed = new Deferred();
    const unsubscribed = new Deferred();
    script.stream = () =>
      new Observable(() => {
        subscribed.resolve();
        return () => unsubscribed.resolve();
      });
    client.send({ event, id });
    await subscribed.promise;

    client.terminate();

    await expect(unsubscribed.promise).resolves.toBeUndefined();
  });

  it.each(['stream', 'stream.promised', 'stream.intercepted'])(
    'lets %s run for longer than handlerTimeoutMs',
    async (event) => {
      const clock = new TestClock();
      const { client, script } = await start(clock);
      const subscribed = new Deferred();
      const items = new Subject<number>();
      script.stream = () =>
        new Observable((subscriber) => {
          subscribed.resolve();
          return items.subscribe(subscriber);
        });
      client.send({ event, id: 1 });
      await subscribed.promise;

      await clock.advance(5_000);
      items.next(1);
      items.complete();

      expect(await client.waitFor({ ack: 1, more: true })).toBeDefined();
      expect(await client.next()).toEqual({ ack: 1 });
    },
  );

  it('is reported, and harms nobody, where it throws when it is unsubscribed', async () => {
    const faults = watchProcess();
    const { app, client, script, observer } = await start();
    const subscribed = new Deferred();
    const error = new Error('not so fast');
    script.stream = () => ({
      lift: () => undefined,
      subscribe: () => {
        subscribed.resolve();
        return {
          unsubscribe: () => {
            throw error;
          },
        };
      },
    });
    client.send({ event: 'stream', id: 1 });
    await subscribed.promise;

    client.terminate();
    await observer.until(({ failures }) => failures.length > 0);

    expect(observer.failures).toEqual([{ where: 'stream', error }]);
    expect(await (await app.connect('/ws')).request('$ping')).not.toHaveProperty('error');
    expect(faults).toEqual([]);
  });

  it('counts against maxInFlight until it ends', async () => {
    const { client, script } = await start();
    script.stream = () => NEVER;
    for (let id = 0; id < 64; id++) client.send({ event: 'stream', id });

    const { error } = await client.request('stream');

    expect(error?.code).toBe('rate_limited');
  });
});

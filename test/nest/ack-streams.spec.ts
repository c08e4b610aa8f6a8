import {
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { Acked } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { concat, EMPTY, from, Observable, of, Subject, throwError } from 'rxjs';
import { map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { startApp } from '../support/start-app.js';

/** Lets a test decide what a handler returns. */
class Script {
  stream: () => unknown = () => EMPTY;
}

class WrappingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => ({ wrapped: value })));
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
  @UseInterceptors(WrappingInterceptor)
  intercepted(): unknown {
    return this.script.stream();
  }

  @SubscribeMessage('stream.acked')
  @Acked()
  acked(): unknown {
    return this.script.stream();
  }

  @SubscribeMessage('stream.acked.intercepted')
  @Acked()
  @UseInterceptors(WrappingInterceptor)
  ackedIntercepted(): unknown {
    return this.script.stream();
  }
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly client: TestClient;
  readonly script: Script;
}

async function start(): Promise<Rig> {
  const script = new Script();
  const app = await startApp({ providers: [StreamGateway, { provide: Script, useValue: script }] });
  return { app, script, client: await app.connect('/ws') };
}

async function* threeLater(): AsyncGenerator<number> {
  for (const item of [1, 2, 3]) {
    await Promise.resolve();
    yield item;
  }
}

describe('a handler that returns an Observable', () => {
  it.each(['stream', 'stream.promised'])('answers %s with each item and an end', async (event) => {
    const { client, script } = await start();
    script.stream = () => of(1, { event: 'item', data: 2 }, { three: 3 });

    client.send({ event, id: 'a' });
    await client.waitFor((frame) => Object.keys(frame as object).join() === 'ack');

    expect(client.frames).toEqual([
      { ack: 'a', data: 1, more: true },
      { ack: 'a', data: 2, more: true },
      { ack: 'a', data: { three: 3 }, more: true },
      { ack: 'a' },
    ]);
  });

  it.each(['stream', 'stream.promised'])('answers %s as the items come', async (event) => {
    const { client, script } = await start();
    const items = new Subject<string>();
    const asked = new Deferred();
    script.stream = () => {
      asked.resolve();
      return items;
    };
    client.send({ event, id: 1 });
    await asked.promise;
    await client.request('$ping');

    items.next('first');
    const first = await client.next();
    items.complete();

    expect(first).toEqual({ ack: 1, data: 'first', more: true });
    expect(await client.next()).toEqual({ ack: 1 });
  });

  it('answers with each item that an interceptor has mapped', async () => {
    const { client, script } = await start();
    script.stream = () => from(threeLater());

    const { items, final } = await client.stream('stream.intercepted');

    expect(items).toEqual([{ wrapped: 1 }, { wrapped: 2 }, { wrapped: 3 }]);
    expect(Object.keys(final)).toEqual(['ack']);
  });

  it.each([
    ['stream', { ack: 1 }],
    ['stream.intercepted', { ack: 1 }],
    ['stream.acked', { ack: 1 }],
  ])('answers %s with the end alone where the stream is empty', async (event, expected) => {
    const { client } = await start();

    const answer = await client.request(event, undefined, { id: 1 });

    expect(answer).toEqual(expected);
    expect(client.frames).toEqual([expected]);
  });

  it.each([
    ['stream.acked', 3],
    ['stream.acked.intercepted', { wrapped: 3 }],
  ])('answers %s, which is @Acked, with the last item alone', async (event, last) => {
    const { client, script } = await start();
    script.stream = () => from(threeLater());

    await client.request(event, undefined, { id: 1 });

    expect(client.frames).toEqual([{ ack: 1, data: last }]);
  });

  it.each(['stream', 'stream.promised', 'stream.intercepted'])(
    'ends %s with an error where the stream fails',
    async (event) => {
      const { client, script } = await start();
      script.stream = () =>
        concat(
          of(1),
          throwError(() => new WsException('no more')),
        );

      const { items, final } = await client.stream(event);

      expect(items).toHaveLength(1);
      expect(final.error).toEqual({ code: 'bad_request', message: 'no more', retryable: false });
    },
  );

  it('ends with an error, and stops the stream, where an item cannot be encoded', async () => {
    const { client, script } = await start();
    const stopped = new Deferred();
    script.stream = () =>
      new Observable((subscriber) => {
        subscriber.next(1);
        subscriber.next(2n);
        subscriber.next(3);
        return () => stopped.resolve();
      });

    const { items, final } = await client.stream('stream');
    await stopped.promise;

    expect(items).toEqual([1]);
    expect(final.error?.code).toBe('internal');
  });

  it('sends each item as a plain message where nobody waits for an answer', async () => {
    const { app, script } = await start();
    const plain = await app.connect('/ws', { protocols: [] });
    script.stream = () => of({ event: 'item', data: 1 }, undefined, 'bare');

    plain.send({ event: 'stream' });
    await plain.waitFor((frame) => frame === 'bare');

    expect(plain.frames).toEqual([{ event: 'item', data: 1 }, 'bare']);
  });
});

import { HttpException, UseGuards, UseInterceptors, UsePipes, ValidationPipe } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets';
import { IsString } from 'class-validator';
import { ChannelsModule } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { concat, from, of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };

class Draft {
  @IsString()
  text!: string;
}

const refusing = { canActivate: () => false };
const throwing = {
  canActivate: () => {
    throw new WsException('no entry');
  },
};
const adding = {
  intercept: (_: unknown, next: { handle(): Observable<unknown> }) => concat(next.handle(), of(2)),
};

/** A gateway as it is written for the stock adapter. */
@WebSocketGateway({ path: '/ws' })
class StockGateway {
  readonly replies: Readonly<Record<string, () => unknown>> = {
    reply: () => ({ event: 'reply', data: { a: 1 } }),
    'reply without data': () => ({ event: 'reply' }),
    'a promise': () => Promise.resolve({ event: 'reply', data: 1 }),
    'a number': () => 5,
    zero: () => 0,
    'an empty text': () => '',
    false: () => false,
    'an array': () => [1, null],
    'a record': () => ({ id: 1, event: 'x', data: 2 }),
    items: () => of({ event: 'item', data: 1 }, { event: 'item', data: 2 }),
    'promised items': () => Promise.resolve(from([1, 2])),
    'a WsException': () => throwError(() => new WsException('no')),
    'a WsException later': () => Promise.reject(new WsException('no')),
    'a WsException with an object': () => Promise.reject(new WsException({ code: 'E1', why: 'x' })),
    'an HttpException': () => Promise.reject(new HttpException('secret', 404)),
    'an Error': () => Promise.reject(new Error('secret')),
  };

  @SubscribeMessage('answer')
  answer(@MessageBody() kind: string): unknown {
    return this.replies[kind]?.();
  }

  @SubscribeMessage('throw')
  throw(): never {
    throw new WsException('at once');
  }

  @SubscribeMessage('validated')
  @UsePipes(ValidationPipe)
  validated(@MessageBody() draft: Draft): Draft {
    return draft;
  }

  @SubscribeMessage('guarded')
  @UseGuards(refusing)
  guarded(): string {
    return 'never';
  }

  @SubscribeMessage('guarded.throws')
  @UseGuards(throwing)
  guardedThrows(): string {
    return 'never';
  }

  @SubscribeMessage('bare')
  bare(client: { readyState: number }, data: unknown, ack: unknown): unknown {
    return { state: client.readyState, data, ack: typeof ack };
  }

  @SubscribeMessage('member')
  member(@MessageBody('a') a: unknown, @ConnectedSocket() client: { readyState: number }): unknown {
    return { a, state: client.readyState };
  }

  @SubscribeMessage('send')
  send(@ConnectedSocket() client: { send(text: string): void }): string {
    client.send('"sent"');
    return 'returned';
  }

  @SubscribeMessage('intercepted')
  @UseInterceptors(adding as never)
  intercepted(): number {
    return 1;
  }
}

function start(adapter: 'stock' | 'ours'): Promise<ChannelsTestApp> {
  return startApp({
    providers: [StockGateway],
    imports: [ChannelsModule.forRoot({ autoInstall: adapter === 'ours' })],
    configure: (nest) => {
      if (adapter === 'stock') nest.useWebSocketAdapter(new WsAdapter(nest));
    },
  });
}

/** What a plain client is sent for some messages. The number says how many frames to wait for. */
async function exchange(client: TestClient, messages: readonly object[], count: number): Promise<unknown[]> {
  for (const message of messages) client.send(message);
  for (let frame = 0; frame < count; frame++) await client.next();
  client.send({ event: 'answer', data: 'a number' });
  await client.next();
  return client.frames.slice(0, -1);
}

describe('a gateway of the stock adapter', () => {
  it.each([
    ...Object.keys(new StockGateway().replies).map((kind): [string, object, number] => [
      kind,
      { event: 'answer', data: kind },
      kind.includes('items') ? 2 : 1,
    ]),
    ['nothing', { event: 'answer', data: 'nothing' }, 0],
    ['what is thrown at once', { event: 'throw', data: { b: 2 } }, 1],
    ['data that a pipe accepts', { event: 'validated', data: { text: 'hi' } }, 1],
    ['data that a pipe refuses', { event: 'validated', data: { text: 1 } }, 1],
    ['a guard that says no', { event: 'guarded', data: [1] }, 1],
    ['a guard that throws', { event: 'guarded.throws' }, 1],
    ['a bare method', { event: 'bare', data: 'x' }, 1],
    ['a member of the data', { event: 'member', data: { a: [1] } }, 1],
    ['no member of the data', { event: 'member' }, 1],
    ['an interceptor that adds an item', { event: 'intercepted' }, 2],
    ['what the handler sends itself', { event: 'send' }, 2],
  ])('replies the same to a message without an id: %s', async (_, message, count) => {
    const [stock, ours] = [await start('stock'), await start('ours')];

    const expected = await exchange(await stock.connect('/ws', PLAIN), [message], count);
    const actual = await exchange(await ours.connect('/ws', PLAIN), [message], count);

    expect(actual).toEqual(expected);
    expect(actual).toHaveLength(count);
  });

  it('replies the same to many messages in a row', async () => {
    const [stock, ours] = [await start('stock'), await start('ours')];
    const messages = Array.from({ length: 100 }, (_, data) => ({ event: 'bare', data }));

    const expected = await exchange(await stock.connect('/ws', PLAIN), messages, messages.length);
    const actual = await exchange(await ours.connect('/ws', PLAIN), messages, messages.length);

    expect(actual).toEqual(expected);
  });
});

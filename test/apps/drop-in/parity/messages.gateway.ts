import {
  Ack,
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  type WsResponse,
} from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { Fenced } from './fenced.js';

@WebSocketGateway({ path: '/messages' })
export class MessagesGateway extends Fenced {
  #release: () => void = () => undefined;
  #released = new Promise<void>((resolve) => (this.#release = resolve));

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): WsResponse {
    return { event: 'echo', data };
  }

  @SubscribeMessage('kind')
  kind(@MessageBody() data: unknown): string {
    return data === null ? 'null' : typeof data;
  }

  @SubscribeMessage('bare')
  bare(client: WebSocket, data: unknown, ...others: unknown[]): unknown {
    return { state: client.readyState, data, others: others.map((other) => typeof other) };
  }

  @SubscribeMessage('no parameters')
  noParameters(): string {
    return 'none';
  }

  @SubscribeMessage('members')
  members(
    @MessageBody('a') a: unknown,
    @MessageBody('b') b: unknown,
    @ConnectedSocket() client: WebSocket,
    @Ack() ack: unknown,
  ): unknown {
    return { a, b: typeof b, state: client.readyState, ack: typeof ack };
  }

  @SubscribeMessage('undecorated beside decorated')
  mixed(first: unknown, @MessageBody() data: unknown, last: unknown): unknown {
    return { first: typeof first, data, last: typeof last };
  }

  @SubscribeMessage('fast')
  fast(@MessageBody() data: unknown): unknown {
    return { event: 'fast', data };
  }

  /** Waits for somebody to say `release`. */
  @SubscribeMessage('slow')
  async slow(@MessageBody() data: unknown): Promise<unknown> {
    await this.#released;
    return { event: 'slow', data };
  }

  @SubscribeMessage('release')
  release(): void {
    this.#release();
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  @SubscribeMessage('sends')
  sends(@ConnectedSocket() client: WebSocket): string {
    client.send('not JSON');
    client.send(Buffer.from([1, 2, 255]));
    client.send(JSON.stringify({ event: 'sent', data: 1 }), () => client.send('"after the callback"'));
    return 'returned';
  }

  @SubscribeMessage('closes')
  closes(@ConnectedSocket() client: WebSocket): string {
    client.send('"before"');
    client.close(4_321, 'by the handler');
    return 'never sent';
  }

  @SubscribeMessage('terminates')
  terminates(@ConnectedSocket() client: WebSocket): void {
    client.terminate();
  }

  @SubscribeMessage('first method')
  @SubscribeMessage('second name')
  named(): string {
    return 'named';
  }

  @SubscribeMessage('taken twice')
  earlier(): string {
    return 'earlier';
  }

  @SubscribeMessage('taken twice')
  later(): string {
    return 'later';
  }
}

/** Names that a client may send, and that JavaScript or Nest might take for something else. */
export const ODD_NAMES = [
  '',
  ' ',
  'a b',
  'a.b:c/d',
  'ünïcödé',
  '🎉',
  'line\nbreak',
  'quote"d',
  'null',
  '5',
  'constructor',
  'toString',
  'hasOwnProperty',
  'exception',
  'ping',
  'message',
  'close',
  'error',
  'id',
  'ack',
];

@WebSocketGateway({ path: '/names' })
export class NamesGateway extends Fenced {}

for (const [index, name] of ODD_NAMES.entries()) {
  const method = `odd${index}`;
  const value = (_client: unknown, data: unknown): unknown => ({ event: name, data: [data, index] });
  Object.defineProperty(NamesGateway.prototype, method, { value, configurable: true, writable: true });
  const descriptor = Object.getOwnPropertyDescriptor(NamesGateway.prototype, method)!;
  SubscribeMessage(name)(NamesGateway.prototype, method, descriptor);
}

import { ApplicationConfig } from '@nestjs/core';
import type { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Fenced } from './fenced.js';

interface Parsed {
  readonly event: string;
  readonly data: unknown;
}

/** JSON, or `event|data`; leaves comments aside, and hands over what JSON cannot carry. */
export function parseLine(message: unknown): Parsed | undefined {
  const text = String(message);
  if (text.startsWith('#')) return undefined;
  if (text.startsWith('{')) return JSON.parse(text) as Parsed;
  const [event = '', ...data] = text.split('|');
  if (event === 'map') return { event: 'kind', data: new Map([[data[0], 1]]) };
  if (event === 'bytes') return { event: 'kind', data: message };
  return { event, data: data.length === 0 ? undefined : data.join('|') };
}

/** `{ "e": event, "d": data }`. */
function parseShort(message: unknown): Parsed {
  const { e, d } = JSON.parse(String(message)) as { e: string; d: unknown };
  return { event: e, data: d };
}

@WebSocketGateway({ path: '/parser' })
export class ParserGateway extends Fenced {
  constructor(private readonly config: ApplicationConfig) {
    super();
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return { event: 'echo', data };
  }

  @SubscribeMessage('kind')
  kind(@MessageBody() data: unknown): string {
    if (data instanceof Map) return `a Map of ${data.size}`;
    return Buffer.isBuffer(data) ? `a Buffer of ${data.length}` : typeof data;
  }

  @SubscribeMessage('speak')
  speak(@MessageBody() form: string): string {
    const adapter = this.config.getIoAdapter() as unknown as WsAdapter;
    adapter.setMessageParser(form === 'short' ? parseShort : parseLine);
    return form;
  }
}

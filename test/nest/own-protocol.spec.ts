import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { RawData, WebSocket } from 'ws';
import { describe, expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };

/** Speaks a protocol of its own beside the events of its handlers, as shared editing over `ws` does. */
@WebSocketGateway({ path: '/ws' })
class LinesGateway {
  handleConnection(client: WebSocket): void {
    client.on('message', (message: RawData) => client.send(`read ${String(message)}`));
  }

  @SubscribeMessage('known')
  known(): string {
    return 'handled';
  }
}

/** Has no protocol of its own. */
@WebSocketGateway({ path: '/events' })
class EventsGateway {
  @SubscribeMessage('known')
  known(): string {
    return 'handled';
  }
}

describe('a plain connection on which the application reads messages itself', () => {
  it.each([
    ['text that is no JSON', 'no JSON'],
    ['an object without an event', '{"op":1}'],
    ['an event that no handler has', '{"event":"unknown"}'],
    ['an event that no handler has, with an id', '{"event":"unknown","id":7}'],
    ['a key that is refused', '{"event":"known","__proto__":{}}'],
  ])('is told of no fault: %s', async (_, text) => {
    const app = await startApp({ providers: [LinesGateway] });
    const client = await app.connect('/ws', PLAIN);

    client.sendRaw(text);
    client.sendRaw('last');

    expect(await client.next()).toBe(`read ${text}`);
    expect(await client.next()).toBe('read last');
    expect(client.frames).toHaveLength(2);
  });

  it('still has its events handled', async () => {
    const app = await startApp({ providers: [LinesGateway] });
    const client = await app.connect('/ws', PLAIN);

    client.sendRaw('{"event":"known"}');

    expect([await client.next(), await client.next()].toSorted()).toEqual([
      'handled',
      'read {"event":"known"}',
    ]);
  });

  it('is told, where it speaks our protocol', async () => {
    const app = await startApp({ providers: [LinesGateway] });
    const client = await app.connect('/ws');

    client.sendRaw('no JSON');

    expect(await client.waitFor({ event: 'exception' })).toMatchObject({ data: { code: 'bad_frame' } });
  });

  it('is told elsewhere', async () => {
    const app = await startApp({ providers: [EventsGateway] });
    const client = await app.connect('/events', PLAIN);

    client.sendRaw('no JSON');

    expect(await client.next()).toMatchObject({ event: 'exception', data: { code: 'bad_frame' } });
  });
});

import { once } from 'node:events';
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

/** Asks who it is with the first message, and keeps all others. */
@WebSocketGateway({ path: '/first' })
class FirstMessageGateway {
  async handleConnection(client: WebSocket): Promise<void> {
    const [name] = (await once(client, 'message')) as [RawData];
    Object.assign(client, { name: String(name) });
    client.send('"welcome"');
  }

  @SubscribeMessage('who')
  who(client: { name?: string }, at: number): unknown {
    return [client.name, at];
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
    ['an event with a $ that is no command', '{"event":"$set"}'],
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

  it('has an answer to an id all the same', async () => {
    const app = await startApp({ providers: [LinesGateway] });
    const client = await app.connect('/ws', PLAIN);

    expect(await client.request('unknown')).toMatchObject({ error: { code: 'unknown_event' } });
  });

  it('stays one, whatever it sends that is no command', async () => {
    const app = await startApp({ providers: [LinesGateway] });
    const client = await app.connect('/ws', PLAIN);

    for (let line = 0; line < 20; line++) client.sendRaw('{"event":"$set"}');
    for (let line = 0; line < 20; line++) client.sendRaw('no JSON');
    client.sendRaw('last');

    await client.waitFor((frame) => frame === 'read last');
    expect(client.frames).toHaveLength(41);
  });

  it('speaks, and is not idle, where it sends messages of its own', async () => {
    const app = await startApp({ providers: [LinesGateway], channels: { idleTimeoutMs: 200 } });
    const [client, idle] = [await app.connect('/ws', PLAIN), await app.connect('/ws', PLAIN)];
    const isIdle = idle.closed.then(() => true);

    // For as long as the other one lives, and once more.
    for (let over = false; !over; over = await Promise.race([isIdle, client.next().then(() => false)]))
      client.sendRaw('still here');
    client.sendRaw('still here');

    expect((await idle.closed).code).toBe(4510);
    expect(await client.next()).toBe('read still here');
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

describe('a handleConnection that waits for a message', () => {
  it('gets it, before any handler runs', async () => {
    const app = await startApp({ providers: [FirstMessageGateway] });
    const client = await app.connect('/first', PLAIN);

    client.sendRaw('ann');
    client.send({ event: 'who', data: 1 });

    // The first message is for the hook; as an event nobody knows it.
    const frames = [await client.next(), await client.next(), await client.next()];
    expect(frames[0]).toBe('welcome');
    expect(frames[1]).toMatchObject({ event: 'exception' });
    expect(frames[2]).toEqual(['ann', 1]);
  });

  it.each([1, 63, 64, 200])('loses none of %i messages that come meanwhile', async (count) => {
    const app = await startApp({ providers: [FirstMessageGateway] });
    const client = await app.connect('/first', PLAIN);

    client.sendRaw('ann');
    for (let at = 0; at < count; at++) client.send({ event: 'who', data: at });
    await client.waitFor((frame) => Array.isArray(frame) && frame[1] === count - 1);

    const answers = client.frames.filter((frame) => Array.isArray(frame));
    expect(answers).toEqual(Array.from({ length: count }, (_, at) => ['ann', at]));
  });
});

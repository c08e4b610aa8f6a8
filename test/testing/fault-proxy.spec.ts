import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { FaultProxy } from '../../lib/testing/fault-proxy.js';
import { dialTo, DIRECTIONS, ends, setUp, startProxy, turn } from './fault-rig.js';

describe('FaultProxy without a fault', () => {
  it('passes bytes both ways and counts them', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();

    client.socket.write('to the server');
    await server.receives(13);
    server.socket.write('back');
    await client.receives(4);

    expect([server.text, client.text]).toEqual(['to the server', 'back']);
    expect(proxy.bytes).toEqual({ toServer: 13, toClient: 4 });
  });

  it('passes large transfers unchanged', async () => {
    const { link } = await setUp();
    const { client, server } = await link();
    const sent = Buffer.alloc(3_000_001, 'abcdefghijklmnopqrstuvwxyz0');

    client.socket.write(sent);
    await server.receives(sent.length);

    expect(server.received.equals(sent)).toBe(true);
  });

  it.each(DIRECTIONS)('passes a half-close on %s and keeps the other direction open', async (direction) => {
    const { link } = await setUp();
    const [first, second] = ends(await link(), direction);

    first.socket.end('last words');
    await second.ended;
    second.socket.end('answer');
    await first.ended;

    expect([second.text, first.text]).toEqual(['last words', 'answer']);
  });

  it.each(DIRECTIONS)('passes a reset on %s', async (direction) => {
    const { link } = await setUp();
    const [sender, receiver] = ends(await link(), direction);

    sender.socket.resetAndDestroy();
    await receiver.closed;

    expect(receiver.events).toEqual(['ECONNRESET', 'close']);
  });

  it('resets the client when the target does not listen', async () => {
    const vacated = createServer().listen(0, '127.0.0.1');
    await once(vacated, 'listening');
    const { port } = vacated.address() as AddressInfo;
    await once(vacated.close(), 'close');
    const proxy = await startProxy(port);

    const client = await dialTo(proxy.port);
    await client.closed;

    expect(client.events).toEqual(['ECONNRESET', 'close']);
  });

  it('counts live connections', async () => {
    const { proxy, link } = await setUp();
    expect(proxy.connections).toBe(0);

    const { client, server } = await link();
    await link();
    expect(proxy.connections).toBe(2);
    client.socket.end();
    server.socket.end();
    while (proxy.connections > 1) await turn();

    expect(proxy.connections).toBe(1);
  });

  it('names its WebSocket url', async () => {
    const { proxy } = await setUp();

    expect(proxy.url()).toBe(`ws://127.0.0.1:${proxy.port}/`);
    expect(proxy.url('/chat?room=1')).toBe(`ws://127.0.0.1:${proxy.port}/chat?room=1`);
    expect(proxy.url('chat')).toBe(`ws://127.0.0.1:${proxy.port}/chat`);
  });

  it.each(['latencyMs', 'jitterMs', 'bytesPerSecond'] as const)(
    'refuses a negative or endless %s',
    async (name) => {
      const { proxy } = await setUp();

      expect(() => (proxy[name] = -1)).toThrow(`${name} (-1) must be a finite number`);
      expect(() => (proxy[name] = Infinity)).toThrow(RangeError);

      expect(proxy[name]).toBe(0);
    },
  );
});

describe('FaultProxy in front of a WebSocket server', () => {
  async function webSockets(): Promise<{ proxy: FaultProxy; client: WebSocket; server: WebSocket }> {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => void wss.close());
    await once(wss, 'listening');
    const proxy = await startProxy((wss.address() as AddressInfo).port);
    const client = new WebSocket(proxy.url('/'));
    const [[server]] = (await Promise.all([once(wss, 'connection'), once(client, 'open')])) as [
      [WebSocket],
      unknown,
    ];
    for (const each of [client, server]) {
      each.on('error', () => undefined);
      onTestFinished(() => each.terminate());
    }
    return { proxy, client, server };
  }

  it('cuts inside a frame: both sides see 1006 and no message', async () => {
    const { proxy, client, server } = await webSockets();
    const messages: string[] = [];
    client.on('message', (data) => messages.push(String(data)));
    proxy.cutAfter(20);

    server.send('a message longer than twenty bytes');
    const closes = await Promise.all([once(client, 'close'), once(server, 'close')]);

    expect(closes.map(([code]) => code)).toEqual([1006, 1006]);
    expect(messages).toEqual([]);
  });

  it('delivers the same message without the cut', async () => {
    const { client, server } = await webSockets();

    server.send('a message longer than twenty bytes');
    const [data] = await once(client, 'message');

    expect(String(data)).toBe('a message longer than twenty bytes');
  });

  it('shows both sides 1006 after a reset', async () => {
    const { proxy, client, server } = await webSockets();

    proxy.reset();
    const closes = await Promise.all([once(client, 'close'), once(server, 'close')]);

    expect(closes.map(([code]) => code)).toEqual([1006, 1006]);
  });

  it('passes a close with its code and reason', async () => {
    const { proxy, client, server } = await webSockets();

    server.close(4501, 'go');
    const closes = await Promise.all([once(client, 'close'), once(server, 'close')]);
    while (proxy.connections > 0) await turn();

    expect(closes.map(([code, reason]) => [code, String(reason)])).toEqual([
      [4501, 'go'],
      [4501, 'go'],
    ]);
  });
});

describe('FaultProxy close', () => {
  it('destroys its connections, stops listening and may be called twice', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();

    await Promise.all([proxy.close(), proxy.close()]);
    await Promise.all([client.ended, server.ended]);
    await proxy.close();

    expect(proxy.connections).toBe(0);
    await expect(dialTo(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('closes in a black hole, held connections included', async () => {
    const { proxy, link, dial } = await setUp();
    const { client } = await link();
    proxy.blackHole();
    const held = await dial();

    await proxy.close();
    await Promise.all([client.ended, held.ended]);

    expect(proxy.connections).toBe(0);
  });
});

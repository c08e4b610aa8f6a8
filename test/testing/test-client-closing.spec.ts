import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { TestClient } from '../../lib/testing/test-client.js';
import { connected, dial, serveByHand, SHORT_MS, switching } from './client-rig.js';

describe('TestClient closing', () => {
  it('closes with a code and a reason', async () => {
    const { client, server } = await connected();
    const seen = once(server, 'close');

    const close = await client.close(4000, 'done');

    expect(close).toEqual({ code: 4000, reason: 'done' });
    const [code, reason] = await seen;
    expect([code, String(reason)]).toEqual([4000, 'done']);
  });

  it('closes without a code as a browser does', async () => {
    const { client } = await connected();

    expect(await client.close()).toEqual({ code: 1005, reason: '' });
  });

  it('may be closed twice and after the server has closed', async () => {
    const { client, server } = await connected();
    server.close(1001, 'bye');
    await client.closed;

    const closes = await Promise.all([client.close(), client.close(4000)]);

    expect(closes.map(({ code }) => code)).toEqual([1001, 1001]);
  });

  it('closes although it is paused', async () => {
    // Without reading the answer it would close as well, but only after this time.
    const { client, server } = await connected({ timeoutMs: 60_000 });
    client.pause();
    server.send('{"event":"unread"}');

    expect(await client.close(4000)).toMatchObject({ code: 4000 });
    expect(await client.next()).toEqual({ event: 'unread' });
  });

  it('leaves a server that does not answer the close', async () => {
    const { client, server } = await connected({ timeoutMs: SHORT_MS });
    server.pause();

    expect(await client.close(4000)).toEqual({ code: 1006, reason: '' });
  });

  it('rejects a code that may not be sent', async () => {
    const { client } = await connected();

    await expect(client.close(1006)).rejects.toThrow('code');
    expect(await client.close(1000)).toMatchObject({ code: 1000 });
  });

  it('terminates without a close frame', async () => {
    const { client, server } = await connected();
    const seen = once(server, 'close');

    client.terminate();

    expect(await client.closed).toEqual({ code: 1006, reason: '' });
    expect((await seen)[0]).toBe(1006);
  });

  it('terminates at the end of an await using block', async () => {
    const { url } = await connected();
    let used: TestClient | undefined;

    {
      await using client = await TestClient.connect(url);
      used = client;
    }

    expect(await used.closed).toMatchObject({ code: 1006 });
  });

  it('answers a broken frame of the server with a close frame', async () => {
    const received: Promise<unknown[]>[] = [];
    const url = await serveByHand((socket, accept) => {
      received.push(once(socket, 'data'));
      // RSV2 is reserved (RFC 6455, section 5.2).
      socket.write(Buffer.concat([Buffer.from(switching(accept)), Buffer.from([0xa1, 0])]));
    });

    await dial(url, { protocols: [] });
    const [bytes] = (await received[0]) as [Buffer];

    // FIN and close, masked, two bytes: a close frame with a code.
    expect([...bytes.subarray(0, 2)]).toEqual([0x88, 0x82]);
  });
});

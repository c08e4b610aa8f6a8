import { describe, expect, it } from 'vitest';
import { DIRECTIONS, ends, Peer, roundTrip, setUp, turn } from './fault-rig.js';

describe('FaultProxy resets', () => {
  it('resets both sides of every connection', async () => {
    const { proxy, link } = await setUp();
    const peers = [await link(), await link()].flatMap(({ client, server }) => [client, server]);

    proxy.reset();
    await Promise.all(peers.map((peer) => peer.closed));

    expect(peers.map((peer) => peer.events)).toEqual(peers.map(() => ['ECONNRESET', 'close']));
    expect(proxy.connections).toBe(0);
  });

  it('takes new connections after a reset', async () => {
    const { proxy, link } = await setUp();
    await link();

    proxy.reset();
    const { client, server } = await link();
    await roundTrip(client, server);

    expect(client.events).toEqual([]);
  });

  it('resets in a black hole, held connections included', async () => {
    const { proxy, link, dial, letTimePass } = await setUp();
    const { client, server } = await link();
    proxy.blackHole();
    const held = await dial();
    while (proxy.connections < 2) await turn();

    proxy.reset();
    await Promise.all([client.closed, server.closed, held.closed]);
    proxy.heal();
    await letTimePass();

    expect([client.events, server.events, held.events].flat()).not.toContain('end');
    expect(proxy.connections).toBe(0);
  });

  // The end of a stream and a reset in one turn left a socket that was never closed, and so a proxy that never was.
  it('closes behind a reset that came with the end of a stream', async () => {
    const { proxy, link, letTimePass } = await setUp();
    const { client, server } = await link();

    proxy.latencyMs = 500;
    client.socket.end();
    await letTimePass();
    proxy.latencyMs = 0;
    client.socket.destroy();
    // The first is answered by a reset, which the second meets.
    server.socket.write('a');
    await letTimePass();
    server.socket.write('b');
    await server.ended;
    await proxy.close();

    expect(server.events).toEqual(['end']);
    expect(proxy.connections).toBe(0);
  });

  it('resets new connections while it refuses, and leaves the others alone', async () => {
    const { proxy, link, dial, accepted } = await setUp();
    const { client, server } = await link();
    proxy.refuse = true;

    const refused = await dial().catch((error: NodeJS.ErrnoException) => error.code);
    if (refused instanceof Peer) await refused.closed;
    await roundTrip(client, server);

    expect(refused instanceof Peer ? refused.events[0] : refused).toBe('ECONNRESET');
    expect([client.events, accepted.length]).toEqual([[], 1]);
  });

  it('takes new connections when it no longer refuses', async () => {
    const { proxy, link } = await setUp();
    proxy.refuse = true;
    proxy.refuse = false;

    const { client, server } = await link();
    await roundTrip(client, server);

    expect(client.text).toBe('pong');
  });
});

describe('FaultProxy cut', () => {
  it.each(DIRECTIONS)('delivers the bytes before the cut and no more, %s', async (direction) => {
    const { proxy, link } = await setUp();
    const [sender, receiver] = ends(await link(), direction);
    proxy.cutAfter(5, direction);

    sender.socket.write('12345678');
    await Promise.all([receiver.ended, sender.closed]);

    expect(receiver.text).toBe('12345');
    expect(receiver.events).toEqual(['end']);
    expect(sender.events).toEqual(['ECONNRESET', 'close']);
    expect([proxy.bytes[direction], proxy.connections]).toEqual([5, 0]);
  });

  it.each(DIRECTIONS)('resets the receiver as well where that is wanted, %s', async (direction) => {
    const { proxy, link } = await setUp();
    const [sender, receiver] = ends(await link(), direction);
    proxy.resetAfter(5, direction);

    sender.socket.write('12345678');
    // libuv reads the last bytes, and tells of the reset behind them only to who writes.
    await Promise.all([sender.closed, Promise.race([receiver.ended, receiver.closed])]);
    receiver.socket.write('late');
    await receiver.closed;

    expect(receiver.text).toBe('12345');
    expect(receiver.events.join(' ')).toMatch(/(ECONNRESET|EPIPE) close$/);
    expect(sender.events).toEqual(['ECONNRESET', 'close']);
    expect([proxy.bytes[direction], proxy.connections]).toEqual([5, 0]);
  });

  it('delivers the bytes before the cut to a reader that comes late', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    client.socket.pause();
    proxy.cutAfter(200_000);

    server.socket.write(Buffer.alloc(300_000));
    await server.closed;
    client.socket.resume();
    await client.ended;

    expect(client.receivedBytes).toBe(200_000);
  });

  it('does not cut one byte short of it', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    proxy.cutAfter(5);

    server.socket.write('1234');
    await client.receives(4);
    client.socket.write('still here');
    await server.receives(10);

    expect([client.events, server.events]).toEqual([[], []]);
  });

  it('cuts before the next byte when told 0, and not by the other direction', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    proxy.cutAfter(0, 'toClient');

    client.socket.write('passes');
    await server.receives(6);
    server.socket.write('does not');
    await client.ended;

    expect(client.receivedBytes).toBe(0);
  });

  it('counts over all connections and breaks the one that carries the last byte, once', async () => {
    const { proxy, link } = await setUp();
    const first = await link();
    const second = await link();
    proxy.cutAfter(6, 'toServer');

    first.client.socket.write('1234');
    await first.server.receives(4);
    second.client.socket.write('5678');
    await second.server.ended;
    first.client.socket.write('9');
    await first.server.receives(5);

    expect([first.server.text, second.server.text]).toEqual(['12349', '56']);
    expect([first.client.events, proxy.connections]).toEqual([[], 1]);
  });

  it('closes the socket of the receiver when that closes', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    proxy.cutAfter(1);

    server.socket.write('12');
    await client.ended;
    client.socket.end('ignored');
    await client.closed;

    expect(client.events).toEqual(['end', 'close']);
    expect(server.receivedBytes).toBe(0);
  });

  it('drops what the receiver still sends, however much', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    proxy.bytesPerSecond = 1_000;
    client.socket.end(Buffer.alloc(32 * 1024 * 1024));
    await server.receives(1);
    proxy.cutAfter(1);

    server.socket.write('12');
    await client.closed;

    expect(client.events).toEqual(['end', 'close']);
  });

  it.each([-1, 1.5, Number.NaN])('refuses to cut after %d bytes', async (bytes) => {
    const { proxy } = await setUp();

    expect(() => proxy.cutAfter(bytes)).toThrow(RangeError);
    expect(() => proxy.resetAfter(bytes)).toThrow(RangeError);
  });
});

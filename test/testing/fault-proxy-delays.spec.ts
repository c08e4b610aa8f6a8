import { describe, expect, it } from 'vitest';
import { DIRECTIONS, elapsedMs, ends, roundTrip, setUp, turn } from './fault-rig.js';

describe('FaultProxy latency and throttling', () => {
  it('delays every byte in each direction', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    proxy.latencyMs = 40;

    const elapsed = await elapsedMs(() => roundTrip(client, server));

    expect(elapsed).toBeGreaterThanOrEqual(80);
  });

  it('delays nothing once the latency is taken back', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    proxy.latencyMs = 60_000;
    proxy.latencyMs = 0;

    const elapsed = await elapsedMs(() => roundTrip(client, server));

    expect(elapsed).toBeLessThan(10_000);
  });

  it('delays the end of a stream, too', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    proxy.latencyMs = 40;

    const elapsed = await elapsedMs(() => {
      client.socket.end();
      return server.ended;
    });

    expect(elapsed).toBeGreaterThanOrEqual(40);
  });

  it('draws the jitter from the random that it was given', async () => {
    const { proxy, link } = await setUp({ next: () => 0.5 });
    const { client, server } = await link();
    proxy.jitterMs = 80;

    const elapsed = await elapsedMs(() => roundTrip(client, server));

    expect(elapsed).toBeGreaterThanOrEqual(80);
  });

  it('keeps the order when a late chunk is followed by an early one', async () => {
    const draws = [0.9, 0];
    const { proxy, link } = await setUp({ next: () => draws.shift() ?? 0 });
    const { client, server } = await link();
    proxy.jitterMs = 50;

    client.socket.write('late ');
    while (draws.length > 1) await turn();
    client.socket.write('early');
    await server.receives(10);

    expect(server.text).toBe('late early');
    expect(draws).toEqual([]);
  });

  it.each(DIRECTIONS)('limits the throughput %s', async (direction) => {
    const { proxy, link } = await setUp();
    const [sender, receiver] = ends(await link(), direction);
    proxy.bytesPerSecond = 20_000;

    const elapsed = await elapsedMs(() => {
      sender.socket.write(Buffer.alloc(4_000));
      return receiver.receives(4_000);
    });

    // 10 slices of 20 ms; the first one leaves at once and one may be made good.
    expect(elapsed).toBeGreaterThanOrEqual(150);
  });

  it('applies a change of the throughput to what waits', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();
    proxy.bytesPerSecond = 0.001;
    client.socket.write('12');
    await server.receives(1);

    proxy.bytesPerSecond = 0;
    await server.receives(2);

    expect(server.text).toBe('12');
  });

  it.each(DIRECTIONS)('fills the sender of a throttled link %s and loses nothing', async (direction) => {
    const { proxy, link } = await setUp();
    const [sender, receiver] = ends(await link(), direction);
    const sent = Buffer.alloc(32 * 1024 * 1024, 'payload.');
    proxy.bytesPerSecond = 50_000;

    sender.socket.write(sent);
    await receiver.receives(20_000);
    const stuckBytes = sender.socket.writableLength;
    proxy.bytesPerSecond = 0;
    await receiver.receives(sent.length);

    expect(stuckBytes).toBeGreaterThan(0);
    expect(sender.socket.writableLength).toBe(0);
    expect(receiver.received.equals(sent)).toBe(true);
  });

  it.each(DIRECTIONS)('fills the sender behind a reader that has stopped %s', async (direction) => {
    const { link, letTimePass } = await setUp();
    const [sender, receiver] = ends(await link(), direction);
    const sent = Buffer.alloc(48 * 1024 * 1024);
    receiver.socket.pause();

    sender.socket.write(sent);
    await letTimePass();
    const stuckBytes = sender.socket.writableLength;
    receiver.socket.resume();
    await receiver.receives(sent.length);

    expect(stuckBytes).toBeGreaterThan(0);
    expect(sender.socket.writableLength).toBe(0);
  });
});

describe('FaultProxy black hole', () => {
  it('lets nothing pass until it is healed, then all of it in order', async () => {
    const { proxy, link, letTimePass } = await setUp();
    const { client, server } = await link();
    proxy.blackHole();

    client.socket.write('one ');
    server.socket.write('back');
    await letTimePass();
    client.socket.write('two');
    await letTimePass();
    const before = [client.receivedBytes, server.receivedBytes];
    proxy.heal();
    await Promise.all([server.receives(7), client.receives(4)]);

    expect(before).toEqual([0, 0]);
    expect([server.text, client.text]).toEqual(['one two', 'back']);
  });

  it('keeps what was already under way', async () => {
    const { proxy, link, letTimePass } = await setUp();
    const { client, server } = await link();
    proxy.latencyMs = 20;
    const startedAt = performance.now();

    client.socket.write('late');
    await turn();
    proxy.blackHole();
    while (performance.now() - startedAt < 60) await letTimePass();
    const before = server.receivedBytes;
    proxy.heal();
    await server.receives(4);

    expect(before).toBe(0);
    expect(server.text).toBe('late');
  });

  it.each(DIRECTIONS)('tells nobody that the peer has gone until it is healed, %s', async (direction) => {
    const { proxy, link, letTimePass } = await setUp();
    const [leaver, stayer] = ends(await link(), direction);
    proxy.blackHole();

    leaver.socket.write('bye');
    leaver.socket.end();
    await letTimePass();
    const before = [...stayer.events];
    proxy.heal();
    await stayer.ended;

    expect(before).toEqual([]);
    expect(stayer.text).toBe('bye');
  });

  it('keeps a reset until it is healed', async () => {
    const { proxy, link, letTimePass } = await setUp();
    const { client, server } = await link();
    proxy.blackHole();

    client.socket.resetAndDestroy();
    await letTimePass();
    const before = [...server.events];
    proxy.heal();
    await server.closed;

    expect(before).toEqual([]);
    expect(server.events).toEqual(['ECONNRESET', 'close']);
  });

  it('stops the sender, once the buffers between are full', async () => {
    const { proxy, link, letTimePass } = await setUp();
    const { client, server } = await link();
    const sent = Buffer.alloc(32 * 1024 * 1024);
    proxy.blackHole();

    client.socket.write(sent);
    await letTimePass();
    const stuckBytes = client.socket.writableLength;
    proxy.heal();
    await server.receives(sent.length);

    expect(stuckBytes).toBeGreaterThan(0);
    expect(client.socket.writableLength).toBe(0);
  });

  it('accepts a new connection, of which the target hears when it is healed', async () => {
    const { proxy, dial, accepted, letTimePass } = await setUp();
    proxy.blackHole();

    const client = await dial();
    client.socket.write('hello?');
    await letTimePass();
    const before = [accepted.length, client.events.length, proxy.connections];
    proxy.heal();
    while (accepted.length === 0) await turn();
    await accepted[0]?.receives(6);

    expect(before).toEqual([0, 0, 1]);
    expect(accepted[0]?.text).toBe('hello?');
  });

  it('may be called twice, as may heal', async () => {
    const { proxy, link } = await setUp();
    const { client, server } = await link();

    proxy.blackHole();
    proxy.blackHole();
    proxy.heal();
    proxy.heal();
    await roundTrip(client, server);

    expect(proxy.bytes).toEqual({ toServer: 4, toClient: 4 });
  });
});

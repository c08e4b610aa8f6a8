import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { LagMeter } from '../support/lag-meter.js';
import { startPeer } from '../support/peer-process.js';
import {
  CHANNEL,
  connectPeer,
  receivePings,
  startLiveness,
  TICK_MS,
  TIMES,
  type Liveness,
} from './liveness-rig.js';

const { heartbeatTimeoutMs: TIMEOUT_MS } = TIMES;

/** Pings that take three timeouts at least: one comes after 80 % of the interval at the earliest. */
const PINGS_OF_THREE_TIMEOUTS = 8;

/** Waits for the end of the only connection, and checks that it was reaped in time after the last byte. */
async function expectReaped({ endings, gateway }: Liveness, lag: LagMeter): Promise<void> {
  const { code, at } = await endings.first();

  const silentMs = at - gateway.heardAt;
  expect(code).toBe(4_408);
  expect(silentMs).toBeGreaterThanOrEqual(TIMEOUT_MS);
  expect(silentMs).toBeLessThanOrEqual(1.1 * TIMEOUT_MS + TICK_MS + lag.lostMs);
  expect(gateway.left).toEqual(['closed']);
  expect(endings.codes).toEqual([4_408]);
}

describe('A peer behind a black hole', () => {
  it('is reaped with 4408 in time after its last byte, and has left its channels', async () => {
    const live = await startLiveness(TIMES);
    const proxy = await live.app.proxy();
    const client = await live.app.connectTo(proxy.url('/ws'));
    await client.subscribe(CHANNEL);
    const lag = new LagMeter();
    await client.request('pulse');

    proxy.blackHole();

    await expectReaped(live, lag);
    expect((await live.app.channels.subscribers(CHANNEL)).subscribers).toEqual([]);
  });

  it('is alive, and lives for three timeouts without the black hole', async () => {
    const { app, gateway, endings } = await startLiveness(TIMES);
    const proxy = await app.proxy();
    const peer = await connectPeer(proxy.url('/ws'));
    const startedAt = performance.now();

    await receivePings(peer, PINGS_OF_THREE_TIMEOUTS);

    expect(performance.now() - startedAt).toBeGreaterThan(3 * TIMEOUT_MS);
    expect([endings.codes, gateway.left]).toEqual([[], []]);
  });

  it('sees 1006 when the network heals', async () => {
    const { app, endings } = await startLiveness(TIMES);
    const proxy = await app.proxy();
    const client = await app.connectTo(proxy.url('/ws'));
    proxy.blackHole();
    await endings.first();

    proxy.heal();

    expect((await client.closed).code).toBe(1_006);
  });
});

describe('A peer that is stopped (SIGSTOP)', () => {
  it('is reaped with 4408 in time after its last byte, and has left its channels', async () => {
    const live = await startLiveness(TIMES);
    const peer = startPeer(live.app.url('/ws'), CHANNEL);
    // The first one is said when it is open; after the second it is known to answer pings.
    await live.gateway.next();
    await live.gateway.next();
    const lag = new LagMeter();

    peer.stop();

    await expectReaped(live, lag);
  });

  it('lives for three timeouts when nobody stops it', async () => {
    const { app, gateway, endings } = await startLiveness(TIMES);
    startPeer(app.url('/ws'), CHANNEL);

    for (let pulse = 0; pulse < 1 + PINGS_OF_THREE_TIMEOUTS; pulse += 1) await gateway.next();

    expect([endings.codes, gateway.left]).toEqual([[], []]);
  });
});

describe('A peer that only receives', () => {
  it('lives while it answers protocol pings, however much is sent to it', async () => {
    const { app, endings } = await startLiveness(TIMES);
    const client = await app.connect('/ws');
    await client.subscribe(CHANNEL);
    const witness = await connectPeer(app.url('/ws'));

    for (let ping = 0; ping < PINGS_OF_THREE_TIMEOUTS; ping += 1) {
      await receivePings(witness, 1);
      await app.channels.publish(CHANNEL, 'news', ping);
      await client.waitFor({ event: 'news', data: ping });
    }

    expect(endings.codes).toEqual([]);
    expect(client.pings).toBeGreaterThanOrEqual(PINGS_OF_THREE_TIMEOUTS - 1);
  });

  it('lives while it answers $ping frames', async () => {
    const { app, endings } = await startLiveness(TIMES);
    const client = await app.connect('/ws', { autoPong: false });
    await client.hello({ heartbeat: true });

    for (let ping = 0; ping < PINGS_OF_THREE_TIMEOUTS; ping += 1) {
      await client.waitFor({ event: '$ping' });
      client.send({ event: '$pong' });
    }

    expect([endings.codes, client.pings]).toEqual([[], 0]);
  });

  it.each([
    ['protocol pings', false],
    ['$ping frames', true],
  ])('is reaped when it leaves %s without an answer', async (_what, heartbeat) => {
    const live = await startLiveness(TIMES);
    const client = await live.app.connect('/ws', { autoPong: false });
    await client.hello({ heartbeat });
    await client.subscribe(CHANNEL);
    const lag = new LagMeter();
    await client.request('pulse');

    await expectReaped(live, lag);

    expect((await client.closed).code).toBe(1_006);
    expect([client.pings > 0, client.frames.some(isPing)]).toEqual([!heartbeat, heartbeat]);
  });
});

describe('A server that stands still for longer than the timeout', () => {
  it('reaps nobody for it', async () => {
    // The talker says as much as it can.
    const { app, gateway, endings } = await startLiveness({ ...TIMES, messagesPerSecond: 0 });
    startPeer(app.url('/ws'), CHANNEL);
    const talker = await app.connect('/ws');
    await gateway.next();
    // Until the sweep has noted that the peer was heard.
    while (performance.now() - gateway.heardAt < 3 * TICK_MS) await talker.request('nothing');

    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * TIMEOUT_MS);
    await gateway.next();
    await gateway.next();

    expect(endings.codes).toEqual([]);
  });
});

function isPing(frame: unknown): boolean {
  return typeof frame === 'object' && frame !== null && 'event' in frame && frame.event === '$ping';
}

import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { everybody, startClientApp } from '../support/client-app.js';
import { Ears, expectInTime } from '../support/client-ears.js';
import { openClient } from '../support/client-rig.js';
import { SilentServer, type Answer } from '../support/client-silent-server.js';
import { LagMeter } from '../support/lag-meter.js';

/** Told to the client by the server: short enough for a test. */
const TIMES = { heartbeatIntervalMs: 300, clientTimeoutMs: 1_000 } as const;

const LIFETIME_MS = 3 * TIMES.clientTimeoutMs;

describe('a client behind a black hole', () => {
  it('notices it in time after the last frame, and is back when the network is', async () => {
    const { app, desk } = await startClientApp(everybody, TIMES);
    const proxy = await app.proxy();
    const ears = new Ears();
    const log = openClient(proxy.url('/ws'), { WebSocket: ears.WebSocket, connectTimeoutMs: 300 });
    await log.client.send('say', 'before');
    const lag = new LagMeter();

    proxy.blackHole();
    const waiting = await log.reaches('waiting');
    expectInTime(waiting.at - ears.heardAt, TIMES.clientTimeoutMs, lag);
    const queued = log.client.send('say', 'meanwhile');
    proxy.heal();

    expect(waiting).toMatchObject({ reason: 'silence', failures: 1, ordered: false });
    expect(await queued).toBe('heard meanwhile');
    expect(desk.dataOf('say')).toEqual(['before', 'meanwhile']);
  });

  it('sends again what was under way, with the same id', async () => {
    const { app, desk } = await startClientApp(everybody, TIMES);
    const proxy = await app.proxy();
    const log = openClient(proxy.url('/ws'), { connectTimeoutMs: 300 });
    await log.reaches('open');

    proxy.blackHole();
    const sent = log.client.send('say', 'into the dark');
    await log.reaches('waiting');
    proxy.heal();

    expect(await sent).toBe('heard into the dark');
    const ids = desk.frames.filter(({ event }) => event === 'say').map(({ id }) => id);
    expect(new Set(ids).size).toBe(1);
  });

  it('lives for three timeouts without the black hole, though it says nothing', async () => {
    const { app } = await startClientApp(everybody, TIMES);
    const proxy = await app.proxy();
    const ears = new Ears();
    const log = openClient(proxy.url('/ws'), { WebSocket: ears.WebSocket });
    const { at } = await log.reaches('open');

    await ears.until(({ heardAt }) => heardAt - at > LIFETIME_MS);

    expect(log.names).toEqual(['connecting', 'open']);
  });

  it('gives up in time an attempt that the network has swallowed', async () => {
    const { app } = await startClientApp(everybody);
    const proxy = await app.proxy();
    proxy.blackHole();
    const lag = new LagMeter();

    const startedAt = performance.now();
    const log = openClient(proxy.url('/ws'), { connectTimeoutMs: 500 });
    const waiting = await log.reaches('waiting');

    // Drawn from half of the time to all of it, so that attempts do not end together.
    expect(waiting.at - startedAt).toBeGreaterThanOrEqual(500 / 2 - 1);
    expect(waiting.at - startedAt).toBeLessThanOrEqual(1.1 * 500 + lag.lostMs);
    expect(waiting.reason).toBe('connect_failed');
  });
});

/** Answers `$hello`, and `$ping` where it is told to; says nothing else. */
function welcoming(answersPings: boolean): Answer {
  const heartbeat = { intervalMs: 100, clientTimeoutMs: 400 };
  return ({ event, id }) => {
    if (event === '$hello') return { ack: id, data: { connectionId: 'c', principal: '', heartbeat } };
    return event === '$ping' && answersPings ? { event: '$pong' } : undefined;
  };
}

describe('a server that keeps the connection and says nothing', () => {
  it('is noticed in time after its welcome, however often it was pinged', async () => {
    const server = await SilentServer.start(welcoming(false));
    const ears = new Ears();
    const lag = new LagMeter();

    const log = openClient(server.url, { WebSocket: ears.WebSocket });
    const waiting = await log.reaches('waiting');

    expectInTime(waiting.at - ears.heardAt, 400, lag);
    expect(waiting.reason).toBe('silence');
    expect(ears.frames).toBe(1);
    expect(server.count('$ping')).toBeGreaterThanOrEqual(3);
  });

  it('is kept for as long as it answers pings', async () => {
    const server = await SilentServer.start(welcoming(true));

    const log = openClient(server.url);
    await server.until(() => server.count('$ping') === 15);

    expect(log.names).toEqual(['connecting', 'open']);
  });

  it('is given up in time when it leaves $hello without an answer', async () => {
    const server = await SilentServer.start();
    const lag = new LagMeter();

    const log = openClient(server.url, { helloTimeoutMs: 400 });
    const greetedAt = await server.reads('$hello');
    const waiting = await log.reaches('waiting');

    expect(waiting.at - greetedAt).toBeLessThanOrEqual(1.1 * 400 + lag.lostMs);
    expect(waiting).toMatchObject({ reason: 'hello_timeout', failures: 1 });
    expect(log.errors[0]?.message).toContain("{ server: 'plain' }");
  });
});

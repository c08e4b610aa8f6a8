import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChannelsClient, type ClientClock } from '../../lib/client/index.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { ClientRig } from './client-rig.js';
import { FakeServer, seeded } from './fake-server.js';

/** Lets time pass until the client has given its connection up, at most for `ms`. */
async function untilLost(rig: ClientRig, ms: number): Promise<number> {
  const from = rig.clock.now();
  let lostAt = Number.POSITIVE_INFINITY;
  rig.client.on('$state', ({ name, reason }) => {
    if (name === 'waiting' && reason === 'silence') lostAt = Math.min(lostAt, rig.clock.now() - from);
  });
  await rig.pass(ms);
  return lostAt;
}

describe('the silence watch', () => {
  it('notices a server that is only silent within clientTimeoutMs + 10 %, whatever the phase', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 120_000 }),
      fc.integer({ min: 100, max: 60_000 }),
      fc.integer({ min: 100, max: 60_000 }),
      async (phaseMs, intervalMs, clientTimeoutMs) => {
        const rig = await ClientRig.open({}, ({ server }) => {
          server.heartbeat = { intervalMs, clientTimeoutMs };
        });
        await rig.pass(phaseMs);
        if (rig.client.state.name !== 'open') return;
        rig.server.peer.vanish();

        expect(await untilLost(rig, clientTimeoutMs * 1.1)).toBeLessThanOrEqual(clientTimeoutMs * 1.1);
        rig.client.close();
      },
    );

    await expect(fc.assert(property, { numRuns: 60 })).resolves.toBeUndefined();
  });

  it('gives nobody up before clientTimeoutMs', async () => {
    const rig = await ClientRig.open();
    rig.server.answersPings = false;
    rig.server.peer.send({ event: 'notice' });
    await rig.pass(1);

    expect(await untilLost(rig, 60_000)).toBe(40_000);
  });

  it.each([
    ['an event', '{"event":"notice"}'],
    ['$ping', '{"event":"$ping"}'],
    ['a late ack', '{"ack":"nobody"}'],
    ['a publication of another channel', '{"channel":"x","event":"y"}'],
    ['what is no frame', 'no JSON'],
  ])('takes %s for life', async (_kind, text) => {
    const rig = await ClientRig.open();
    rig.server.answersPings = false;
    await rig.pass(39_000);

    rig.server.peer.sendText(text);
    await rig.pass(39_000);

    expect(rig.client.state.name).toBe('open');
  });

  it('closes a connection that is silent, and comes back', async () => {
    const rig = await ClientRig.open();
    rig.server.answersPings = false;

    await rig.pass(45_000);

    expect(rig.server.peers[0]?.closedBy?.code).toBe(1000);
    expect([rig.client.state.name, rig.server.peers.length]).toEqual(['open', 2]);
  });

  it.each([
    ['no heartbeat', undefined],
    ['clientTimeoutMs: 0', { intervalMs: 0, clientTimeoutMs: 0 }],
    ['clientTimeoutMs: 0 with pings', { intervalMs: 25_000, clientTimeoutMs: 0 }],
  ])('is off with %s', async (_kind, heartbeat) => {
    const rig = await ClientRig.open({}, ({ server }) => (server.heartbeat = heartbeat));
    rig.server.peer.vanish();

    await rig.pass(600_000);

    expect(rig.client.state.name).toBe('open');
  });
});

describe('pings', () => {
  it('go out when nothing was sent for intervalMs', async () => {
    const rig = await ClientRig.open();

    await rig.pass(25_000 - 10);
    const early = rig.server.peer.of('$ping').length;
    await rig.pass(20);

    expect([early, rig.server.peer.of('$ping')]).toEqual([0, [{ event: '$ping' }]]);
  });

  it('wait for another interval when something was sent', async () => {
    const rig = await ClientRig.open();
    await rig.pass(20_000);
    rig.client.emit('typing', 1);
    rig.server.peer.send({ event: 'notice' });

    await rig.pass(24_990);
    const early = rig.server.peer.of('$ping').length;
    await rig.pass(20);

    expect([early, rig.server.peer.of('$ping').length]).toEqual([0, 1]);
  });

  it('of the server are answered by $pong', async () => {
    const rig = await ClientRig.open();

    rig.server.peer.send({ event: '$ping' });
    await rig.pass();

    expect(rig.server.peer.of('$pong')).toEqual([{ event: '$pong' }]);
  });

  it('are not handed to the application', async () => {
    const rig = await ClientRig.open();
    const got: unknown[] = [];
    for (const event of ['$ping', '$pong']) rig.client.on(event as never, (data) => got.push(data));

    for (const event of ['$ping', '$pong']) rig.server.peer.send({ event, data: 1 });
    await rig.pass();

    expect(got).toEqual([]);
  });

  it('go out twice per clientTimeoutMs where the server does not ping', async () => {
    const heartbeat = { intervalMs: 0, clientTimeoutMs: 40_000 };
    const rig = await ClientRig.open({}, ({ server }) => (server.heartbeat = heartbeat));

    await rig.pass(100_000);

    expect(rig.server.peer.of('$ping')).toHaveLength(5);
    expect(rig.client.state.name).toBe('open');
  });

  it('stop with the connection', async () => {
    const rig = await ClientRig.open();

    rig.client.close();
    await rig.pass(5);

    expect(rig.clock.pendingTimers).toBe(0);
  });

  // Runtimes fire a timer of more than 2^31 - 1 ms at once: it would be armed again without end.
  it('ask no timer for more than it can wait', async () => {
    const delays: number[] = [];
    const clock = new TestClock();
    const recording: ClientClock = {
      now: () => clock.now(),
      clearTimer: (timer) => clock.clearTimer(timer as object),
      setTimeout: (callback, ms) => {
        delays.push(ms);
        return clock.setTimeout(callback, ms);
      },
    };
    const server = new FakeServer(clock);
    server.heartbeat = { intervalMs: 3_000_000_000, clientTimeoutMs: 0 };
    const options = { clock: recording, random: seeded(1), WebSocket: server.WebSocket };
    const client = new ChannelsClient('ws://fake', options);
    onTestFinished(() => client.close());

    client.connect();
    await clock.advance(10);

    expect(Math.max(...delays)).toBe(2_147_483_647);
  });
});

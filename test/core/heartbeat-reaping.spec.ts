import fc from 'fast-check';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Rig, say, settled } from './engine-rig.js';
import { tolerance, watch } from './heartbeat-rig.js';

interface Times {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** When the peer says its last byte; before the timeout. */
  readonly lastByteMs: number;
  readonly seed: number;
}

const TIMES: fc.Arbitrary<Times> = fc
  .record({
    timeoutMs: fc.integer({ min: 20, max: 100_000 }),
    intervalShare: fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 0.99, noNaN: true })),
    lastByteShare: fc.double({ min: 0, max: 0.9, noNaN: true }),
    seed: fc.integer(),
  })
  .map(({ timeoutMs, intervalShare, lastByteShare, seed }) => ({
    timeoutMs,
    intervalMs: Math.floor(intervalShare * timeoutMs),
    lastByteMs: Math.floor(lastByteShare * timeoutMs),
    seed,
  }));

describe('A silent peer', () => {
  it('is reaped between the timeout and 10 % and one tick later, whenever its last byte came', async () => {
    await fc.assert(
      fc.asyncProperty(TIMES, async ({ intervalMs, timeoutMs, lastByteMs, seed }) => {
        const peer = await watch({
          heartbeatIntervalMs: intervalMs,
          heartbeatTimeoutMs: timeoutMs,
          drainTimeoutMs: 200_000,
          seed,
        });
        await peer.rig.clock.advance(lastByteMs);
        peer.transport.bytesRead += 1;

        await peer.rig.clock.advance(timeoutMs + tolerance(timeoutMs));

        expect(peer.reapedAt() - lastByteMs).toBeGreaterThanOrEqual(timeoutMs);
        expect(peer.reapedAt() - lastByteMs).toBeLessThanOrEqual(timeoutMs + tolerance(timeoutMs));
      }),
      { numRuns: 100 },
    );
  });

  it('is given the whole timeout from the opening of its connection', async () => {
    const rig = await Rig.start();
    await rig.clock.advance(100_000);
    const { transport } = rig.open();

    await rig.clock.advance(29_999);
    const before = [...transport.calls];
    await rig.clock.advance(1 + tolerance(30_000));

    expect(before).not.toContain('destroy');
    expect(transport.calls).toContain('destroy');
  });

  it('is reported once, with 4408, and has left its channels', async () => {
    const left: unknown[] = [];
    const rig = await Rig.start({
      channels: {
        'chat:{room}': {
          subscribe: { event: '$subscribe', acked: true, handle: () => undefined },
          unsubscribe: {
            event: '$unsubscribe',
            acked: true,
            handle: ({ channel, data }) => void left.push([channel, data]),
          },
        },
      },
    });
    const peer = rig.open();
    say(peer, { event: '$subscribe', id: 1, data: { channel: 'chat:lobby' } });
    await settled();
    expect([...rig.engine.hub.subscribers('chat:lobby')]).toHaveLength(1);

    await rig.clock.advance(120_000);

    expect(rig.journal.entries).toEqual(['opened', 'closed 4408']);
    expect(left).toEqual([['chat:lobby', { reason: 'closed' }]]);
    expect([...rig.engine.hub.subscribers('chat:lobby')]).toEqual([]);
    expect(rig.engine.connections.size).toBe(0);
  });

  it('that does not answer a close is ended, and the code of the close is reported', async () => {
    const rig = await Rig.start();
    const { connection, transport } = rig.open();
    transport.answersClose = false;
    connection.close(4_000, 'enough');

    await rig.clock.advance(30_000 + tolerance(30_000));

    expect(transport.calls).toContain('destroy');
    expect(rig.journal.entries).toEqual(['opened', 'closed 4000']);
  });

  it('lives with a timeout of 0', async () => {
    const peer = await watch({ heartbeatTimeoutMs: 0 });

    await peer.rig.clock.advance(600_000);

    expect(peer.reapedAt()).toBe(Number.POSITIVE_INFINITY);
    expect(peer.transport.pings).toBeGreaterThan(20);
  });
});

describe('A peer that is heard', () => {
  it('lives, be it by a single byte just before each timeout', async () => {
    const peer = await watch({});

    for (let byte = 0; byte < 20; byte += 1) {
      await peer.rig.clock.advance(29_999);
      peer.transport.bytesRead += 1;
    }

    expect(peer.reapedAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it('lives by answering pings alone', async () => {
    const peer = await watch({});
    peer.transport.onPing = () => void (peer.transport.bytesRead += 6);

    await peer.rig.clock.advance(600_000);

    expect(peer.reapedAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it('survives 3 s of silence behind every answer', async () => {
    const peer = await watch({});
    peer.transport.onPing = () =>
      void peer.rig.clock.setTimeout(() => void (peer.transport.bytesRead += 6), 3_000);

    await peer.rig.clock.advance(600_000);

    expect(peer.reapedAt()).toBe(Number.POSITIVE_INFINITY);
  });
});

/** A process that stands still: time goes on, and nothing is done until it runs again. */
class StallingClock extends TestClock {
  #stalledMs = 0;

  override now(): number {
    return super.now() + this.#stalledMs;
  }

  stall(ms: number): void {
    this.#stalledMs += ms;
  }
}

describe('A process that stood still', () => {
  it('reaps nobody for the time in which it did not listen', async () => {
    const clock = new StallingClock();
    const rig = await Rig.start({ clock });
    const { transport } = rig.open();
    await clock.advance(10_000);

    clock.stall(60_000);
    await clock.advance(1_000);
    transport.bytesRead += 6;
    await clock.advance(29_000);

    expect(transport.calls).not.toContain('destroy');
  });

  it('reaps the silent in the time that is left to them', async () => {
    const clock = new StallingClock();
    const rig = await Rig.start({ clock });
    const { transport } = rig.open();
    await clock.advance(10_000);

    clock.stall(60_000);
    await clock.advance(20_000 + tolerance(30_000));

    expect(transport.calls).toContain('destroy');
  });
});

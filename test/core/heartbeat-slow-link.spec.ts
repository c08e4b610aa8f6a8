import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SLOW_LINK_BYTES_PER_MS } from '../../lib/core/heartbeat.js';
import type { FakeTransport, RigOptions } from './engine-rig.js';
import { tolerance, watch, type Watched } from './heartbeat-rig.js';

const KIB = 1_024;

describe('The timeout of a peer', () => {
  it('grows by one second for each 16 KiB that was written since it was heard', async () => {
    const scenario = fc.record({
      bytes: fc.integer({ min: 0, max: 2_000_000 }),
      heardMs: fc.integer({ min: 0, max: 20_000 }),
      // Mostly within the tick in which the peer was heard.
      writtenLaterMs: fc.oneof(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 29_000 })),
    });

    await fc.assert(
      fc.asyncProperty(scenario, async ({ bytes, heardMs, writtenLaterMs }) => {
        const peer = await watch({ drainTimeoutMs: 70_000 });
        const timeoutMs = Math.min(30_000 + bytes / SLOW_LINK_BYTES_PER_MS, 70_000);
        await peer.rig.clock.advance(heardMs);
        peer.transport.bytesRead += 1;
        await peer.rig.clock.advance(writtenLaterMs);
        peer.transport.bytesWritten += bytes;

        await peer.rig.clock.advance(200_000);

        expect(peer.reapedAt() - heardMs).toBeGreaterThanOrEqual(timeoutMs);
        expect(peer.reapedAt() - heardMs).toBeLessThanOrEqual(timeoutMs + tolerance(timeoutMs));
      }),
      { numRuns: 100 },
    );
  });

  it('does not grow by what was written before it was heard', async () => {
    const peer = await watch({});
    await peer.rig.clock.advance(5_000);
    peer.transport.bytesWritten += 900 * KIB;
    await peer.rig.clock.advance(5_000);
    peer.transport.bytesRead += 1;

    await peer.rig.clock.advance(30_000 + tolerance(30_000));

    expect(peer.reapedAt()).toBeLessThanOrEqual(10_000 + 30_000 + tolerance(30_000));
  });

  it('grows by what handleConnection has sent', async () => {
    const peer = await watch({
      connected: ({ transport }) => void ((transport as FakeTransport).bytesWritten = 16 * KIB * 20),
    });

    // 20 s for 320 KiB, on top of 30 s.
    await peer.rig.clock.advance(49_999);

    expect(peer.reapedAt()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('A reader on a 32 KiB/s link with 900 KiB due', () => {
  /** The peer's pong waits in line behind what was written before the ping. */
  async function read(options: RigOptions): Promise<Watched> {
    const peer = await watch(options);
    let drainedAt = 0;
    const write = (bytes: number): void => {
      peer.transport.bytesWritten += bytes;
      drainedAt = Math.max(drainedAt, peer.rig.clock.now()) + bytes / 32.768;
    };
    peer.transport.onPing = () =>
      void peer.rig.clock.setTimeout(() => (peer.transport.bytesRead += 6), drainedAt - peer.rig.clock.now());
    // The worst moment: as long as possible after the peer was heard, and before the ping.
    await peer.rig.clock.advance(19_999);
    write(900 * KIB);
    await peer.rig.clock.advance(200_000);
    return peer;
  }

  it.each([1, 2, 3, 4, 5])('lives with the defaults (seed %d)', async (seed) => {
    const peer = await read({ seed });

    expect(peer.reapedAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it('would be reaped without the time that the bytes buy', async () => {
    const peer = await read({ drainTimeoutMs: 30_000 });

    expect(peer.reapedAt()).toBeLessThan(50_000);
  });
});

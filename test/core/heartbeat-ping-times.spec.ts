import fc from 'fast-check';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Rig, type RigOptions } from './engine-rig.js';

/** What passes between both sides: who says something, and how long after what was said before. */
interface Activity {
  readonly by: 'peer' | 'server' | 'both';
  readonly afterMs: number;
}

interface Ping {
  readonly at: number;
  /** Since the server has last sent something, or last heard something: the longer of the two. */
  readonly quietMs: number;
}

const BYTES = 10;

/** A clock whose callbacks may come late. */
class LateClock extends TestClock {
  lateMs = 0;

  override now(): number {
    return super.now() + this.lateMs;
  }
}

/** Plays a history to one connection that answers no ping, and notes its pings. */
async function play(options: RigOptions, activities: readonly Activity[]): Promise<Ping[]> {
  const rig = await Rig.start({ heartbeatTimeoutMs: 0, ...options });
  const { transport } = rig.open();
  const pings: Ping[] = [];
  const since = { sent: 0, heard: 0, ping: 0 };
  const quietMs = (): number => rig.clock.now() - Math.max(since.ping, Math.min(since.sent, since.heard));
  transport.onPing = () => {
    pings.push({ at: rig.clock.now(), quietMs: quietMs() });
    since.ping = since.sent = rig.clock.now();
  };

  for (const { by, afterMs } of activities) {
    await rig.clock.advance(afterMs);
    if (by !== 'peer') {
      transport.bytesWritten += BYTES;
      since.sent = rig.clock.now();
    }
    if (by !== 'server') {
      transport.bytesRead += BYTES;
      since.heard = rig.clock.now();
    }
  }
  return pings;
}

/** Nothing happens for so long that pings are due in any case. */
function silence(intervalMs: number): Activity {
  return { by: 'both', afterMs: 3 * intervalMs };
}

function history(intervalMs: number): fc.Arbitrary<Activity[]> {
  const activity = fc.record({
    by: fc.constantFrom('peer' as const, 'server' as const, 'both' as const),
    afterMs: fc.integer({ min: 0, max: Math.ceil(1.5 * intervalMs) }),
  });
  return fc.array(activity, { maxLength: 12, size: 'max' });
}

describe('The times of heartbeat pings', () => {
  it('are sent at 80 to 100 % of the interval since nothing was sent or nothing was heard', async () => {
    const scenario = fc
      .record({ intervalMs: fc.integer({ min: 50, max: 40_000 }), seed: fc.integer() })
      .chain((drawn) => fc.record({ drawn: fc.constant(drawn), events: history(drawn.intervalMs) }));

    await fc.assert(
      fc.asyncProperty(scenario, async ({ drawn: { intervalMs, seed }, events }) => {
        const options = { heartbeatIntervalMs: intervalMs, seed };

        const pings = await play(options, [...events, silence(intervalMs)]);

        expect(pings.length).toBeGreaterThanOrEqual(2);
        for (const { quietMs } of pings) {
          expect(quietMs).toBeGreaterThanOrEqual(0.8 * intervalMs);
          expect(quietMs).toBeLessThanOrEqual(intervalMs);
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 1, 499, 500, 999])(
    'keep to the window when a byte comes %d ms after a sweep',
    async (phaseMs) => {
      const afterMs = 7_000 + phaseMs;

      for (let seed = 0; seed < 20; seed += 1) {
        const [first] = await play({ heartbeatIntervalMs: 25_000, seed }, [
          { by: 'both', afterMs },
          silence(25_000),
        ]);

        expect(first?.at).toBeGreaterThanOrEqual(afterMs + 20_000);
        expect(first?.at).toBeLessThanOrEqual(afterMs + 25_000);
      }
    },
  );

  it('keep to the window when the sweep that finds a byte comes late', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const clock = new LateClock();
      const rig = await Rig.start({ clock, seed });
      const { transport } = rig.open();
      let pingedAt = 0;
      transport.onPing = () => (pingedAt ||= clock.now());
      await clock.advance(1_000);
      transport.bytesRead += BYTES;
      transport.bytesWritten += BYTES;

      clock.lateMs = 5;
      await clock.advance(1_000);
      clock.lateMs = 0;
      await clock.advance(25_000);

      expect(pingedAt).toBeGreaterThanOrEqual(1_000 + 20_000);
      expect(pingedAt).toBeLessThanOrEqual(1_000 + 25_000);
    }
  });

  it('count from the opening of a connection, whenever that is', async () => {
    const rig = await Rig.start();
    await rig.clock.advance(100_000);
    const { transport } = rig.open();

    await rig.clock.advance(20_000);
    const before = transport.pings;
    await rig.clock.advance(5_000);

    expect([before, transport.pings]).toEqual([0, 1]);
  });
});

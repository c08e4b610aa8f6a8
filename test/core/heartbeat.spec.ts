import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deaf, Rig, say, type Peer, type RigOptions } from './engine-rig.js';

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

const HELLO = { event: '$hello', id: 1, data: { heartbeat: true } };
const BYTES = 10;

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

describe('Heartbeat pings', () => {
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

  it('come while a peer is silent, however much is sent to it', async () => {
    const rig = await Rig.start();
    const { transport } = rig.open();

    for (let second = 0; second < 26; second += 1) {
      transport.bytesWritten += BYTES;
      await rig.clock.advance(1_000);
    }

    expect(transport.pings).toBe(1);
  });

  it('come while nothing is sent, however much a peer says', async () => {
    const rig = await Rig.start();
    const { transport } = rig.open();

    for (let second = 0; second < 26; second += 1) {
      transport.bytesRead += BYTES;
      await rig.clock.advance(1_000);
    }

    expect(transport.pings).toBe(1);
  });

  it('do not come where both sides talk', async () => {
    const rig = await Rig.start();
    const { transport } = rig.open();

    for (let second = 0; second < 100; second += 1) {
      transport.bytesRead += BYTES;
      transport.bytesWritten += BYTES;
      await rig.clock.advance(1_000);
    }

    expect(transport.pings).toBe(0);
  });

  it('do not come a second time while the first is out', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const rig = await Rig.start({ seed });
      const { transport } = rig.open();
      // The peer reads what it was sent, so that it outlives the usual timeout.
      transport.bytesWritten += 600_000;

      await rig.clock.advance(39_999);

      expect(transport.pings).toBe(1);
      expect(transport.calls).not.toContain('destroy');
    }
  });

  it.each([1, 2, 3])(
    'of 1,000 connections that were opened at once spread over the window (seed %d)',
    async (seed) => {
      const rig = await Rig.start({ seed });
      const perSecond = new Map<number, number>();
      await rig.clock.advance(300);
      for (let count = 0; count < 1_000; count += 1) {
        rig.open().transport.onPing = () => {
          perSecond.set(rig.clock.now(), (perSecond.get(rig.clock.now()) ?? 0) + 1);
        };
      }

      await rig.clock.advance(25_500);

      // 20 % of 25 s are 5 ticks: 200 each, plus five standard deviations of chance.
      expect([...perSecond.values()].reduce((sum, count) => sum + count, 0)).toBe(1_000);
      expect(perSecond.size).toBe(5);
      expect(Math.max(...perSecond.values())).toBeLessThan(264);
    },
  );

  it('are protocol pings unless a $hello asked for frames', async () => {
    const rig = await Rig.start();
    const [plain, framed] = [rig.open({ ours: false }), rig.open()];
    say(framed, HELLO);

    await rig.clock.advance(25_000);

    expect([plain.transport.pings, plain.transport.events]).toEqual([1, []]);
    expect([framed.transport.pings, framed.transport.events.at(-1)]).toEqual([0, '$ping']);
  });

  it('are off with an interval of 0', async () => {
    const rig = await Rig.start({ heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0 });
    const [plain, framed] = [rig.open(), rig.open()];
    say(framed, HELLO);

    await rig.clock.advance(600_000);

    expect([plain.transport.pings, framed.transport.events.includes('$ping')]).toEqual([0, false]);
  });

  it('do not go to a connection whose handleConnection still runs', async () => {
    const rig = await Rig.start({ handlerTimeoutMs: 200_000, connected: () => new Promise(() => undefined) });
    const { transport } = rig.open();

    await rig.clock.advance(100_000);

    expect(transport.calls).toEqual([]);
  });

  it('do not go to a connection that is closing', async () => {
    const rig = await Rig.start({ heartbeatTimeoutMs: 0 });
    const [plain, framed] = [rig.open({}, deaf()), rig.open({}, deaf())];
    say(framed, HELLO);
    for (const { connection } of [plain, framed]) connection.close(1_000);

    await rig.clock.advance(60_000);

    expect(framed.transport.events).not.toContain('$ping');
    expect(plain.transport.frames).toEqual([]);
  });
});

describe('The sweep', () => {
  it('is one timer, whatever the number of connections', async () => {
    const rig = await Rig.start();
    const without = rig.clock.pendingTimers;

    const peers: Peer[] = Array.from({ length: 1_000 }, () => rig.open());
    for (const peer of peers) say(peer, HELLO);
    await rig.clock.advance(60_000);

    expect(without).toBe(1);
    expect(rig.clock.pendingTimers).toBe(without);
  });
});

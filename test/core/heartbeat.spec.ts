import { describe, expect, it } from 'vitest';
import { deaf, Rig, say, type Peer } from './engine-rig.js';

const HELLO = { event: '$hello', id: 1, data: { heartbeat: true } };
const BYTES = 10;

describe('Heartbeat pings', () => {
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

import { describe, expect, it } from 'vitest';
import type { DrainReport, ObservedDrain, Observer } from '../../lib/core/observer.interface.js';
import { memoryBroker, Rig, say, settled, type Peer, type RigOptions } from './engine-rig.js';
import { shutDown } from './shutdown-rig.js';

/** What a node has said about its drain. */
class Log implements Observer {
  readonly begun: ObservedDrain[] = [];
  readonly reports: DrainReport[] = [];
  readonly warnings: string[] = [];

  draining(drain: ObservedDrain): void {
    this.begun.push(drain);
  }

  drained(report: DrainReport): void {
    this.reports.push(report);
  }

  warned(text: string): void {
    this.warnings.push(text);
  }
}

/** A client that has said `$hello`. */
function greeted(rig: Rig): Peer {
  const peer = rig.open();
  say(peer, { event: '$hello', id: 'hello', data: {} });
  return peer;
}

interface DrainRig {
  readonly rig: Rig;
  readonly log: Log;
  readonly peers: readonly Peer[];
}

async function connected(clients: number, options: RigOptions = {}): Promise<DrainRig> {
  const log = new Log();
  const rig = await Rig.start({ drainWindowMs: 4_000, ...options, observers: [log] });
  return { rig, log, peers: Array.from({ length: clients }, () => greeted(rig)) };
}

const slotOf = ({ transport }: Peer): number | undefined => {
  const text = transport.frames.find((frame) => frame.startsWith('{"event":"$drain"'));
  return text === undefined
    ? undefined
    : (JSON.parse(text) as { data: { reconnectAfterMs: number } }).data.reconnectAfterMs;
};

const told = (peers: readonly Peer[]): number => peers.filter((peer) => slotOf(peer) !== undefined).length;

describe('a node that goes away', () => {
  it('tells its clients one after the other, over three quarters of the window', async () => {
    const { rig, peers } = await connected(60);

    shutDown(rig);
    const times: number[] = [];
    for (let ms = 0; ms < 4_000; ms += 500) {
      await rig.clock.advance(500);
      times.push(told(peers));
    }

    expect(times.slice(0, 5)).toEqual([11, 21, 31, 41, 51].map((each) => expect.closeTo(each, -0.5)));
    expect(times.slice(5)).toEqual([60, 60, 60]);
  });

  it('closes those with 1012 at the end of the window that have not gone', async () => {
    const { rig, peers, log } = await connected(2);

    const shutdown = shutDown(rig);
    await rig.clock.advance(3_999);
    const before = [shutdown.ended(), [...(peers[0]?.transport.calls ?? [])]];
    await rig.clock.advance(51);
    await settled();

    expect(before).toEqual([false, []]);
    expect(peers.map(({ transport }) => transport.calls)).toEqual([
      ['end 1012 the server shuts down or restarts'],
      ['end 1012 the server shuts down or restarts'],
    ]);
    expect(shutdown.ended()).toBe(true);
    expect(log.reports).toEqual([expect.objectContaining({ clients: 2, left: 0, stayed: 2 })]);
  });

  it('ends within 5 s with the default window, whatever does not', async () => {
    const { rig, peers } = await connected(2, { disconnected: () => new Promise(() => undefined) });
    const [silent] = peers;
    if (silent) silent.transport.answersClose = false;

    const shutdown = shutDown(rig);
    await rig.clock.advance(4_400);
    const cutOff = silent?.transport.calls.includes('destroy');
    await rig.clock.advance(500);

    expect([cutOff, shutdown.ended()]).toEqual([false, true]);
    expect(silent?.transport.calls).toContain('destroy');
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('is gone as soon as all have left', async () => {
    const { rig, peers, log } = await connected(2);

    const shutdown = shutDown(rig);
    await rig.clock.advance(2_000);
    for (const { transport } of peers) transport.drop(1_000);
    await settled();

    expect(shutdown.ended()).toBe(true);
    expect(log.begun).toEqual([{ clients: 2, windowMs: 4_000 }]);
    expect(log.reports).toEqual([
      expect.objectContaining({ clients: 2, left: 2, stayed: 0, peakPerSecond: 2, perSecond: 0 }),
    ]);
  });

  it('serves who is still there, until the last slot', async () => {
    const { rig, peers } = await connected(2, {
      handlers: [{ event: 'work', acked: false, handle: () => 'done' }],
    });
    const [peer] = peers as [Peer];

    shutDown(rig);
    await rig.clock.advance(2_900);
    say(peer, { event: 'work', id: 1 });
    await settled();
    await rig.clock.advance(200);
    say(peer, { event: 'work', id: 2 });
    await settled();

    const answers = peer.transport.frames.filter((text) => /"ack":\d/.test(text));
    expect(answers[0]).toBe('{"ack":1,"data":"done"}');
    expect(answers[1]).toContain('"unavailable"');
  });

  it('waits for nobody who cannot be told', async () => {
    const { rig, log } = await connected(0);
    rig.open({ ours: false });

    const shutdown = shutDown(rig);
    await settled();

    expect(shutdown.ended()).toBe(true);
    expect(log.begun).toEqual([{ clients: 0, windowMs: 4_000 }]);
    expect(log.reports).toEqual([expect.objectContaining({ clients: 0, left: 0, stayed: 0 })]);
  });

  it('closes all at once where the window is 0', async () => {
    const { rig, log } = await connected(1, { drainWindowMs: 0 });

    const shutdown = shutDown(rig);
    await settled();

    expect(shutdown.ended()).toBe(true);
    expect(log.begun).toEqual([{ clients: 1, windowMs: 0 }]);
    expect(log.reports).toHaveLength(1);
  });

  it('tells no more in any second than its budget has', async () => {
    const { rig, peers } = await connected(100, { drainConnectsPerSecond: 20, drainWindowMs: 8_000 });

    shutDown(rig);
    const perSecond: number[] = [];
    for (let second = 0; second < 5; second += 1) {
      const before = told(peers);
      await rig.clock.advance(1_000);
      perSecond.push(told(peers) - before);
    }

    for (const each of perSecond) expect(each).toBeLessThanOrEqual(21);
    expect(told(peers)).toBeGreaterThanOrEqual(96);
  });

  it('gives those for whom the window is too short a slot behind it, at the same pace, and says so', async () => {
    const { rig, peers, log } = await connected(40, { drainConnectsPerSecond: 5, drainWindowMs: 4_000 });

    shutDown(rig);
    await rig.clock.advance(3_100);
    const late = peers.map(slotOf).filter((ms) => ms !== undefined && ms > 50) as number[];

    expect(late.length).toBeGreaterThanOrEqual(23);
    expect(told(peers)).toBe(40);
    const steps = late.slice(1).map((ms, at) => ms - (late[at] ?? 0));
    expect(new Set(steps)).toEqual(new Set([200]));
    expect(log.warnings).toEqual([expect.stringMatching(/^2\d of 40 clients wait without a connection/)]);
    peers.findLast((peer) => (slotOf(peer) ?? 0) > 50)?.transport.drop(1_000);
    await rig.clock.advance(1_000);
    expect(log.reports).toMatchObject([{ stayed: 40 - 1, late: late.length - 1 }]);
  });

  it('drains on demand, and stays for those who have not gone until it shuts down', async () => {
    const { rig, peers, log } = await connected(2, {
      handlers: [{ event: 'work', acked: false, handle: () => 'done' }],
    });
    const [first, second] = peers as [Peer, Peer];

    let report: DrainReport | undefined;
    void rig.engine.departure.drain(1_000).then((value) => (report = value));
    await rig.clock.advance(500);
    first.transport.drop(1_000);
    await rig.clock.advance(600);
    say(second, { event: 'work', id: 1 });
    await settled();
    const states = [rig.engine.draining, rig.engine.closing, second.connection.state];
    const shutdown = shutDown(rig);
    await settled();

    expect(report).toMatchObject({ clients: 2, windowMs: 1_000, left: 1, stayed: 1 });
    expect(states).toEqual([true, false, 'open']);
    expect(second.transport.frames.at(-1)).toBe('{"ack":1,"data":"done"}');
    expect(shutdown.ended()).toBe(true);
    expect(log.reports).toHaveLength(1);
  });

  it('shortens a drain that was asked for before when it has to stop', async () => {
    const { rig, peers } = await connected(10, {
      drainWindowMs: 1_000,
      handlers: [{ event: 'work', acked: false, handle: () => 'done' }],
    });
    const [peer] = peers as [Peer];
    void rig.engine.departure.drain(600_000);
    await rig.clock.advance(1_000);

    const shutdown = shutDown(rig);
    await rig.clock.advance(900);
    say(peer, { event: 'work', id: 1 });
    await settled();
    const early = shutdown.ended();
    await rig.clock.advance(200);
    await settled();

    expect(early).toBe(false);
    expect(peer.transport.frames.at(-1)).toContain('"unavailable"');
    expect(told(peers)).toBe(10);
    expect(shutdown.ended()).toBe(true);
  });

  it('spreads those who wait over what is left when it has to stop', async () => {
    const { rig, peers, log } = await connected(300, { drainWindowMs: 4_000 });
    void rig.engine.departure.drain(60_000);
    await rig.clock.advance(20_000);
    const before = told(peers);

    shutDown(rig);
    const times: number[] = [];
    for (let ms = 0; ms < 3_000; ms += 500) {
      await rig.clock.advance(500);
      times.push(told(peers) - before);
    }

    const rest = 300 - before;
    expect(rest).toBeGreaterThan(150);
    // No more in half a second than a sixth of them, and those of one step.
    const steps = times.map((sum, at) => sum - (times[at - 1] ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(Math.ceil(rest / 6) + Math.ceil(rest / 60));
    expect(times.at(-1)).toBe(rest);
    expect(log.warnings).toEqual([]);
    await rig.clock.advance(1_100);
    expect(log.reports).toMatchObject([{ windowMs: 24_000, stayed: 300, late: 0 }]);
  });

  it('keeps to its slots where it ends early enough by itself', async () => {
    const { rig, peers, log } = await connected(300, { drainWindowMs: 60_000 });
    void rig.engine.departure.drain(4_000);
    await rig.clock.advance(1_000);
    const before = told(peers);

    shutDown(rig);
    await rig.clock.advance(1_000);

    expect(told(peers) / before).toBeCloseTo(2, 0);
    expect(log.warnings).toEqual([]);
  });

  it('tells those who have not said $hello yet when they have', async () => {
    const { rig } = await connected(0, { drainWindowMs: 4_000 });
    const late = rig.open();

    shutDown(rig);
    await rig.clock.advance(1_000);
    const before = told([late]);
    say(late, { event: '$hello', id: 'hello', data: {} });
    await rig.clock.advance(100);

    expect([before, told([late])]).toEqual([0, 1]);
  });

  it('spends nothing of the budget on nobody', async () => {
    let takes = 0;
    // Every second question finds a point.
    const rates = { take: () => (++takes % 2 === 0 ? 0 : 50) };
    const { rig, peers } = await connected(4, {
      drainConnectsPerSecond: 20,
      drainWindowMs: 8_000,
      broker: Object.assign(memoryBroker(), { rates }),
    });

    shutDown(rig);
    peers[3]?.transport.drop(1_000);
    await rig.clock.advance(2_000);
    const before = takes;
    await rig.clock.advance(2_000);

    expect(told(peers.slice(0, 3))).toBe(3);
    expect(takes).toBe(before);
  });

  it.each([
    ['never answers', () => new Promise<number>(() => undefined)],
    ['fails', () => Promise.reject(new Error('no store'))],
  ])('keeps to its window where the store of the budget %s', async (_, take) => {
    const { rig, peers, log } = await connected(3, {
      drainConnectsPerSecond: 1_000,
      broker: Object.assign(memoryBroker(), { rates: { take } }),
    });

    const shutdown = shutDown(rig);
    await rig.clock.advance(4_050);
    await settled();

    expect(shutdown.ended()).toBe(true);
    expect(told(peers)).toBe(3);
    expect(log.reports).toHaveLength(1);
  });

  it('does not close a client that comes back while it leaves', async () => {
    const { rig, peers } = await connected(1, { drainWindowMs: 1_000 });
    const [old] = peers as [Peer];
    say(old, { event: '$hello', id: 1, data: { clientId: 'c'.repeat(22) } });
    old.connection.depart(0);

    const fresh = rig.open();
    say(fresh, { event: '$hello', id: 1, data: { clientId: 'c'.repeat(22) } });
    await settled();

    expect(old.transport.calls).toEqual([]);
    // A control: one that was told nothing gives way.
    const third = rig.open();
    say(third, { event: '$hello', id: 1, data: { clientId: 'c'.repeat(22) } });
    expect(fresh.transport.calls).toEqual([expect.stringContaining('end 4509')]);
  });
});

describe('the age of connections', () => {
  it('is bounded, give or take a tenth: clients are told, and closed where they stay', async () => {
    const { rig, peers } = await connected(20, {
      maxConnectionAgeMs: 100_000,
      heartbeatTimeoutMs: 0,
      heartbeatIntervalMs: 0,
    });
    const counts: number[] = [];

    for (const ms of [89_000, 11_000, 11_500]) {
      await rig.clock.advance(ms);
      counts.push(told(peers));
    }
    await rig.clock.advance(5_000);

    expect(counts[0]).toBe(0);
    expect(counts[1]).toBeGreaterThan(0);
    expect(counts[1]).toBeLessThan(20);
    expect(counts[2]).toBe(20);
    expect(peers.map(slotOf)).toEqual(Array.from({ length: 20 }, () => 0));
    for (const { transport } of peers) expect(transport.calls).toEqual([expect.stringContaining('end 1012')]);
  });

  it('ends those with 1012 that cannot be told', async () => {
    const { rig } = await connected(0, {
      maxConnectionAgeMs: 10_000,
      heartbeatTimeoutMs: 0,
      heartbeatIntervalMs: 0,
    });
    const { transport } = rig.open({ ours: false });

    await rig.clock.advance(8_900);
    const before = [...transport.calls];
    await rig.clock.advance(3_200);

    expect(before).toEqual([]);
    expect(transport.calls).toEqual([expect.stringContaining('end 1012')]);
    expect(transport.frames).toEqual([]);
  });

  it('is any where the option is off', async () => {
    const { rig, peers } = await connected(1, { heartbeatTimeoutMs: 0, heartbeatIntervalMs: 0 });

    await rig.clock.advance(86_400_000);

    expect(peers[0]?.transport.calls).toEqual([]);
    expect(told(peers)).toBe(0);
  });
});

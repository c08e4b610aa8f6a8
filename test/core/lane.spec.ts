import { describe, expect, it } from 'vitest';
import { Lane, type Turn } from '../../lib/core/lane.js';
import { Deferred } from '../support/deferred.js';
import { answersOf, cut, startDedup } from './dedup-rig.js';
import { say, settled } from './engine-rig.js';

const TIMEOUT_MS = 30_000;

describe('Lane', () => {
  it('starts a turn at once where nobody is before it', () => {
    const lane = new Lane();
    const begun: number[] = [];

    const entered = lane.enter({ start: () => begun.push(1) });

    expect([entered, begun, lane.waiting]).toEqual([true, [1], 0]);
  });

  it('starts the others in their order, each when the one before has left', () => {
    const lane = new Lane();
    const begun: number[] = [];
    const turns = [1, 2, 3].map((n): Turn => ({ start: () => begun.push(n) }));
    const entered = turns.map((turn) => lane.enter(turn));
    const states = [[...begun]];

    for (const turn of turns) {
      lane.leave(turn);
      states.push([...begun]);
    }

    expect(entered).toEqual([true, false, false]);
    expect(states).toEqual([[1], [1, 2], [1, 2, 3], [1, 2, 3]]);
  });

  it('is not left by a turn that is not the one which runs', () => {
    const lane = new Lane();
    const begun: number[] = [];
    const turns = [1, 2].map((n): Turn => ({ start: () => begun.push(n) }));
    for (const turn of turns) lane.enter(turn);

    lane.leave(turns[1] as Turn);

    expect([begun, lane.waiting]).toEqual([[1], 1]);
  });

  it('lets thousands of turns end at once that have waited', () => {
    const lane = new Lane();
    let begun = 0;
    const first: Turn = { start: () => undefined };
    lane.enter(first);
    for (let count = 0; count < 20_000; count++) {
      const turn: Turn = {
        start: () => {
          begun++;
          lane.leave(turn);
        },
      };
      lane.enter(turn);
    }

    lane.leave(first);

    expect([begun, lane.waiting]).toEqual([20_000, 0]);
  });
});

describe('the lane of a connection', () => {
  it('goes on when a handler has had its time', async () => {
    const { rig, desk, client } = await startDedup();
    desk.method = ({ data }) => (data === 'hangs' ? new Promise(() => undefined) : data);
    const peer = client();
    say(peer, { event: 'work', id: 1, data: 'hangs' });
    say(peer, { event: 'work', id: 2, data: 'next' });

    await rig.clock.advance(TIMEOUT_MS - 1);
    const before = [...desk.runs];
    await rig.clock.advance(1);

    expect([before, desk.runs]).toEqual([['hangs'], ['hangs', 'next']]);
    expect(await answersOf(peer)).toMatchObject([
      { ack: 1, error: { code: 'timeout' } },
      { ack: 2, data: 'next' },
    ]);
  });

  it('gives each handler its time from when it begins', async () => {
    const { rig, desk, client } = await startDedup();
    desk.method = () => new Promise(() => undefined);
    const peer = client();
    say(peer, { event: 'work', id: 1 });
    say(peer, { event: 'work', id: 2 });
    await rig.clock.advance(TIMEOUT_MS);

    await rig.clock.advance(TIMEOUT_MS - 1);
    const before = await answersOf(peer);
    await rig.clock.advance(1);

    expect(before).toMatchObject([{ ack: 1, error: { code: 'timeout' } }]);
    expect(await answersOf(peer)).toHaveLength(2);
  });

  it('goes on as well behind a message without an id, which is told nothing', async () => {
    const { rig, desk, client } = await startDedup();
    desk.method = ({ data }) => (data === 'hangs' ? new Promise(() => undefined) : data);
    const peer = client();
    say(peer, { event: 'work', data: 'hangs' });
    say(peer, { event: 'work', id: 2, data: 'next' });

    await rig.clock.advance(TIMEOUT_MS);

    expect(await answersOf(peer)).toEqual([{ ack: 2, data: 'next' }]);
    expect(peer.transport.events).not.toContain('exception');
  });

  it('holds messages without an id in their place, too', async () => {
    const { desk, client } = await startDedup();
    const work = new Deferred();
    desk.method = ({ data }) => (data === 1 ? work.promise : undefined);
    const peer = client();

    say(peer, { event: 'work', data: 1 });
    say(peer, { event: 'work', data: 2 });
    const before = [...desk.runs];
    work.resolve();
    await settled();

    expect([before, desk.runs]).toEqual([[1], [1, 2]]);
  });

  it('goes on when a handler fails, and when a guard says no', async () => {
    const { desk, client } = await startDedup();
    desk.guard = ({ data }) => (data === 'refused' ? Promise.reject(new Error('no')) : undefined);
    desk.method = ({ data }) => (data === 'fails' ? Promise.reject(new Error('no')) : data);
    const peer = client();

    for (const [at, data] of ['fails', 'refused', 'next'].entries())
      say(peer, { event: 'work', id: at, data });

    expect(await answersOf(peer)).toMatchObject([
      { ack: 0, error: {} },
      { ack: 1, error: {} },
      { ack: 2, data: 'next' },
    ]);
  });

  it('waits for the guards of the message before, too', async () => {
    const { desk, client } = await startDedup();
    const guard = new Deferred();
    desk.guard = ({ data }) => (data === 1 ? guard.promise : undefined);
    const peer = client();

    for (const data of [1, 2]) say(peer, { event: 'work', id: data, data });
    const before = [...desk.runs];
    guard.resolve();
    await settled();

    expect([before, desk.runs]).toEqual([[], [1, 2]]);
  });

  it('begins nothing for a peer that is gone, and keeps nothing', async () => {
    const { rig, desk, client } = await startDedup();
    const work = new Deferred();
    desk.method = () => work.promise;
    const peer = client();
    for (const data of [1, 2, 3]) say(peer, { event: 'work', id: data, data });

    await cut(peer);
    work.resolve();
    await settled();

    expect(desk.runs).toEqual([1]);
    expect([peer.connection.inFlight, peer.connection.lane.waiting, rig.engine.claims.size]).toEqual([
      0, 0, 0,
    ]);
  });

  it('begins nothing when a close has been sent', async () => {
    const { desk, client } = await startDedup();
    const work = new Deferred();
    desk.method = () => work.promise;
    const peer = client();
    peer.transport.answersClose = false;
    for (const data of [1, 2]) say(peer, { event: 'work', id: data, data });

    peer.connection.close(1_000);
    work.resolve();
    await settled();

    expect([desk.runs, peer.connection.state]).toEqual([[1], 'closing']);
  });

  it('is worked off during a shutdown: what waits had been accepted', async () => {
    const { rig, desk, client } = await startDedup();
    const work = new Deferred<string>();
    desk.method = ({ data }) => (data === 1 ? work.promise : data);
    const peer = client();
    for (const data of [1, 2]) say(peer, { event: 'work', id: data, data });

    const shutdown = rig.engine.shutdown();
    say(peer, { event: 'work', id: 3, data: 3 });
    work.resolve('done');
    await shutdown;

    expect(await answersOf(peer)).toMatchObject([
      { ack: 3, error: { code: 'unavailable' } },
      { ack: 1, data: 'done' },
      { ack: 2, data: 2 },
    ]);
  });

  it('takes maxInFlight messages with an id, the one that runs among them, and refuses one more', async () => {
    const { desk, client } = await startDedup({ maxInFlight: 3 });
    const work = new Deferred();
    desk.method = () => work.promise;
    const peer = client();

    for (const data of [1, 2, 3]) say(peer, { event: 'work', id: data, data });
    const before = await answersOf(peer);
    say(peer, { event: 'work', id: 4, data: 4 });
    const refused = await answersOf(peer);
    work.resolve();
    await settled();

    expect([before, refused]).toMatchObject([
      [],
      [{ ack: 4, error: { code: 'rate_limited', retryable: true, retryAfterMs: 1_000 } }],
    ]);
    expect(desk.runs).toEqual([1, 2, 3]);
    expect(peer.connection.inFlight).toBe(0);
  });

  it('lets maxInFlight messages without an id wait, and refuses one more with an exception', async () => {
    const { desk, client } = await startDedup({ maxInFlight: 3 });
    const work = new Deferred();
    desk.method = () => work.promise;
    const peer = client();

    for (const data of [0, 1, 2, 3]) say(peer, { event: 'work', data });
    await settled();
    const before = peer.transport.events.includes('exception');
    say(peer, { event: 'work', data: 4 });
    await settled();
    const after = peer.transport.frames.at(-1);
    work.resolve();
    await settled();

    expect(before).toBe(false);
    expect(JSON.parse(after ?? '')).toMatchObject({ event: 'exception', data: { code: 'rate_limited' } });
    expect(desk.runs).toEqual([0, 1, 2, 3]);
  });

  it('does not bound what is concurrent and has no id: that does not wait', async () => {
    const { desk, client } = await startDedup({ maxInFlight: 1 });
    desk.method = () => new Promise(() => undefined);
    const peer = client();

    for (const data of [1, 2, 3]) say(peer, { event: 'beside', data });
    await settled();

    expect(desk.runs).toEqual([1, 2, 3]);
  });
});

import { NEVER, Observable, of } from 'rxjs';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, vi } from 'vitest';
import { ChannelsError } from '../../lib/core/errors.js';
import { Deferred } from '../support/deferred.js';
import { answersOf, cut, RemoteDedupStore, startDedup, type DedupRig } from './dedup-rig.js';
import { say, settled, type Peer } from './engine-rig.js';

const WINDOW_MS = 300_000;
const TIMEOUT_MS = 30_000;
const WORK = { event: 'work', id: 'm' };
const TIMEOUT = {
  ack: 'm',
  error: { code: 'timeout', message: 'the handler took longer than 30000 ms', retryable: true },
};

/** A client whose message has begun to run, and has not ended. */
async function startWorking(dedup?: DedupRig): Promise<DedupRig & { work: Deferred<unknown>; peer: Peer }> {
  const started = dedup ?? (await startDedup());
  const work = new Deferred<unknown>();
  started.desk.method = () => (started.desk.runs.length === 1 ? work.promise : 'again');
  const peer = started.client();
  say(peer, WORK);
  await settled();
  return { ...started, work, peer };
}

describe('a timeout', () => {
  it('does not free the claim: a copy waits for the run that goes on', async () => {
    const { rig, desk, peer, work } = await startWorking();
    await rig.clock.advance(TIMEOUT_MS);

    say(peer, WORK);
    const before = await answersOf(peer);
    work.resolve('slow');

    expect(before).toEqual([TIMEOUT]);
    expect(await answersOf(peer)).toEqual([TIMEOUT, { ack: 'm', data: 'slow' }]);
    expect(desk.runs).toHaveLength(1);
  });

  it('comes to each copy in its own time', async () => {
    const { rig, client, peer, work } = await startWorking();
    await rig.clock.advance(10_000);
    const [second, third] = [client(), client()];
    say(second, WORK);
    await cut(second);
    say(third, WORK);
    await cut(peer);

    await rig.clock.advance(TIMEOUT_MS - 1);
    const before = await answersOf(third);
    await rig.clock.advance(1);
    work.resolve('late');

    expect(before).toEqual([]);
    expect(await answersOf(third)).toEqual([TIMEOUT]);
  });

  it('keeps what the handler gives later for the next copy', async () => {
    const { rig, desk, peer, work } = await startWorking();
    await rig.clock.advance(TIMEOUT_MS);
    work.resolve('slow');
    await settled();

    say(peer, WORK);

    expect(await answersOf(peer)).toEqual([TIMEOUT, { ack: 'm', data: 'slow' }]);
    expect(desk.runs).toHaveLength(1);
  });

  it('lets the next copy run where the handler fails later with a retryable error, which is reported', async () => {
    const { rig, desk, peer, work } = await startWorking();
    await rig.clock.advance(TIMEOUT_MS);
    work.reject(new ChannelsError('unavailable', 'later'));
    await settled();

    say(peer, WORK);

    expect(await answersOf(peer)).toEqual([TIMEOUT, { ack: 'm', data: 'again' }]);
    expect([desk.runs.length, rig.journal.failures]).toEqual([2, ['work']]);
  });

  it('raised by the handler itself is a retryable error like any other', async () => {
    const { desk, client } = await startDedup();
    desk.method = () => {
      throw new ChannelsError('timeout', 'of its own');
    };
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    expect(desk.runs).toHaveLength(2);
  });

  it('before the gate, in a guard, leaves the method alone: the next copy runs', async () => {
    const { rig, desk, client } = await startDedup();
    const guard = new Deferred();
    desk.guard = () => guard.promise;
    const peer = client();
    say(peer, WORK);
    await rig.clock.advance(TIMEOUT_MS);

    guard.resolve();
    await settled();
    const ranLate = desk.runs.length;
    desk.guard = () => undefined;
    say(peer, WORK);

    expect([ranLate, desk.runs.length]).toEqual([0, 1]);
    expect(await answersOf(peer)).toEqual([TIMEOUT, { ack: 'm', data: {} }]);
  });

  it('while the claim is under way gives it back: the next copy runs', async () => {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    const { desk, client } = await startDedup({ clock, dedup });
    const held = new Deferred();
    dedup.holds.set('claim', held);
    const peer = client();
    say(peer, WORK);
    await clock.advance(TIMEOUT_MS);

    held.resolve();
    await settled();
    const before = desk.runs.length;
    say(peer, WORK);
    await settled();

    expect([before, desk.runs.length]).toEqual([0, 1]);
  });
});

describe('a claim', () => {
  it('is renewed while the handler runs', async () => {
    const { rig, desk, peer, work } = await startWorking();

    for (let minutes = 0; minutes < 4; minutes++) {
      await rig.clock.advance(60_000);
      say(peer, WORK);
    }
    await settled();
    work.resolve('after four minutes');

    expect((await answersOf(peer)).at(-1)).toEqual({ ack: 'm', data: 'after four minutes' });
    expect(desk.runs).toHaveLength(1);
  });

  it('is kept by a process that stands still for longer than it holds', async () => {
    const { rig, desk, peer, work } = await startWorking();
    const now = rig.clock.now.bind(rig.clock);
    rig.clock.now = () => now() + 60_000;

    say(peer, WORK);
    await rig.clock.advance(60_000);
    work.resolve('after the pause');
    say(peer, WORK);

    expect((await answersOf(peer)).at(-1)).toEqual({ ack: 'm', data: 'after the pause' });
    expect([desk.runs.length, rig.journal.failures]).toEqual([1, []]);
  });

  it('is renewed for the dedup window at most, then a copy runs, and the first is told to have lost', async () => {
    const { rig, desk, client, peer, work } = await startWorking();
    await rig.clock.advance(WINDOW_MS);
    say(peer, WORK);
    await settled();
    const within = desk.runs.length;

    await rig.clock.advance(TIMEOUT_MS);
    const next = client();
    say(next, WORK);
    work.resolve('much too late');

    expect([within, desk.runs.length]).toEqual([1, 2]);
    expect(await answersOf(next)).toEqual([{ ack: 'm', data: 'again' }]);
    expect(rig.journal.failures).toEqual(['work']);
    expect(rig.engine.claims.size).toBe(0);
  });

  it('is kept where one renewal fails, which is reported', async () => {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    const { rig, desk, peer, work } = await startWorking(await startDedup({ clock, dedup }));
    dedup.failing.add('renew');
    await clock.advance(11_000);
    dedup.failing.clear();
    await clock.advance(60_000);

    say(peer, WORK);
    await settled();
    work.resolve('done');

    expect((await answersOf(peer)).at(-1)).toEqual({ ack: 'm', data: 'done' });
    expect([desk.runs.length, rig.journal.failures]).toEqual([1, ['dedupStore.renew']]);
  });

  it('is kept where the store is away for a time, of which not each claim tells', async () => {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    const { rig, work, peer } = await startWorking(await startDedup({ clock, dedup }));
    const renew = vi.spyOn(dedup, 'renew').mockRejectedValueOnce(new ChannelsError('unavailable', 'away'));

    await clock.advance(21_000);
    work.resolve('done');

    expect((await answersOf(peer)).at(-1)).toEqual({ ack: 'm', data: 'done' });
    expect([renew.mock.calls.length, rig.journal.failures]).toEqual([2, []]);
  });

  it('is renewed until its answer is stored, and not behind that', async () => {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    const { rig, work } = await startWorking(await startDedup({ clock, dedup }));
    const held = new Deferred();
    dedup.holds.set('resolve', held);
    const renewals = (): number => dedup.calls.filter((call) => call === 'renew').length;
    work.resolve('done');
    await settled();

    await clock.advance(11_000);
    const during = renewals();
    held.resolve();
    await settled();
    await clock.advance(60_000);

    expect([during, renewals(), rig.engine.claims.size]).toEqual([1, 1, 0]);
  });

  it('is not renewed any more when the handler has answered', async () => {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    const { rig, work } = await startWorking(await startDedup({ clock, dedup }));
    work.resolve('done');
    await settled();

    await clock.advance(60_000);

    expect([dedup.calls.includes('renew'), rig.engine.claims.size]).toEqual([false, 0]);
  });

  it('is not taken by a message whose connection has ended before its guards have passed', async () => {
    const { desk, client, rig } = await startDedup();
    const guard = new Deferred();
    desk.guard = () => guard.promise;
    const peer = client();
    say(peer, WORK);
    await cut(peer);

    guard.resolve();
    await settled();

    expect([desk.runs.length, rig.engine.claims.size]).toEqual([0, 0]);
  });
});

describe('an answer', () => {
  it('is repeated within the window, and not after it', async () => {
    const { rig, desk, client } = await startDedup({ dedupWindowMs: 60_000 });
    const peer = client();
    say(peer, WORK);

    await rig.clock.advance(59_999);
    say(peer, WORK);
    const within = desk.runs.length;
    await rig.clock.advance(1);
    say(peer, WORK);

    expect([within, desk.runs.length]).toEqual([1, 2]);
  });

  it('keeps its window where that is shorter than a claim holds', async () => {
    const { rig, desk, peer, work } = await startWorking(await startDedup({ dedupWindowMs: 1_000 }));
    await rig.clock.advance(900);
    say(peer, WORK);
    work.resolve('done');
    await settled();

    await rig.clock.advance(999);
    say(peer, WORK);

    expect((await answersOf(peer)).filter((answer) => 'data' in (answer as object))).toHaveLength(3);
    expect(desk.runs).toHaveLength(1);
  });
});

describe('the Observable of an acked handler', () => {
  it('answers with its last value, a copy too', async () => {
    const { desk, client } = await startDedup();
    desk.method = () => of(1, 2, 3);
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    expect(await answersOf(peer)).toEqual([
      { ack: 'm', data: 3 },
      { ack: 'm', data: 3 },
    ]);
    expect(desk.runs).toHaveLength(1);
  });

  it('goes on when the connection ends, and its last value is stored', async () => {
    const dedup = await startDedup();
    const end = new Deferred<string>();
    let isUnsubscribed = false;
    dedup.desk.method = () =>
      new Observable((subscriber) => {
        void end.promise.then((value) => {
          subscriber.next(value);
          subscriber.complete();
        });
        return () => (isUnsubscribed = true);
      });
    const first = dedup.client();
    say(first, WORK);
    await cut(first);
    const before = isUnsubscribed;

    end.resolve('last');
    await settled();
    const second = dedup.client();
    say(second, WORK);

    expect(before).toBe(false);
    expect(await answersOf(second)).toEqual([{ ack: 'm', data: 'last' }]);
  });

  it('that never ends is unsubscribed when the window is over, and the next copy runs', async () => {
    const { rig, desk, client } = await startDedup();
    let unsubscribed = 0;
    desk.method = () => new Observable(() => () => void unsubscribed++);
    say(client(), WORK);
    await rig.clock.advance(WINDOW_MS - 11_000);
    const within = unsubscribed;

    await rig.clock.advance(22_000);
    const peer = client();
    desk.method = () => 'again';
    say(peer, WORK);

    expect([within, unsubscribed]).toEqual([0, 1]);
    expect(await answersOf(peer)).toEqual([{ ack: 'm', data: 'again' }]);
  });

  it('without an id is unsubscribed when the connection ends', async () => {
    const { desk, client } = await startDedup();
    let unsubscribed = 0;
    desk.method = () => new Observable(() => () => void unsubscribed++);
    const peer = client();
    say(peer, { event: 'work' });
    await settled();

    await cut(peer);

    expect(unsubscribed).toBe(1);
  });

  it('holds nothing of a message that was turned away', async () => {
    const { rig, desk, client } = await startDedup();
    desk.method = () => NEVER;
    const peer = client();
    say(peer, WORK);
    await rig.clock.advance(TIMEOUT_MS);
    say(peer, WORK);
    await settled();

    await rig.clock.advance(TIMEOUT_MS);

    expect(await answersOf(peer)).toEqual([TIMEOUT, TIMEOUT]);
    expect([peer.connection.inFlight, desk.runs.length]).toEqual([0, 1]);
  });
});

import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, vi } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { answersOf, startDedup } from './dedup-rig.js';
import { say, settled } from './engine-rig.js';

const WORK = { event: 'work', id: 'm' };

describe('a claim', () => {
  it.each([
    ['at once', undefined],
    ['later', new Deferred()],
  ])('is renewed while the handler runs, where its guards have passed %s', async (_when, guard) => {
    const { desk, client, rig } = await startDedup();
    desk.guard = () => guard?.promise;
    desk.method = () => new Deferred().promise;
    say(client(), WORK);
    await settled();

    guard?.resolve();
    await settled();

    expect([desk.runs.length, rig.engine.claims.size]).toEqual([1, 1]);
  });

  it('costs nothing where the handler answers at once', async () => {
    const { desk, client, rig } = await startDedup();
    const keep = vi.spyOn(rig.engine.claims, 'keep');
    desk.method = () => 'done';
    const peer = client();

    say(peer, WORK);

    expect((await answersOf(peer)).at(-1)).toEqual({ ack: 'm', data: 'done' });
    expect(keep).not.toHaveBeenCalled();
  });

  it('is renewed while its answer is stored, also where nothing before had to wait', async () => {
    const clock = new TestClock();
    const stored = new Deferred<boolean>();
    const renew = vi.fn(() => true);
    const dedup = {
      start: () => undefined,
      claim: () => ({ type: 'claimed', fence: 1 }) as const,
      renew,
      resolve: () => stored.promise,
      release: () => undefined,
      wait: () => Promise.resolve(),
      close: () => undefined,
    };
    const { rig, desk, client } = await startDedup({ clock, dedup });
    desk.method = () => 'done';
    const peer = client();
    say(peer, WORK);
    await settled();

    await clock.advance(11_000);
    const during = renew.mock.calls.length;
    stored.resolve(true);

    expect((await answersOf(peer)).at(-1)).toEqual({ ack: 'm', data: 'done' });
    expect([during, rig.engine.claims.size]).toEqual([1, 0]);
  });
});

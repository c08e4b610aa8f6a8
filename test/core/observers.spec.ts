import { describe, expect, it } from 'vitest';
import type { Failure, Observer } from '../../lib/core/observer.interface.js';
import { Observers } from '../../lib/core/observers.js';

describe('Observers', () => {
  it('reports a fact to those who want it', () => {
    const seen: string[] = [];
    const observers = new Observers([
      { published: (channel, event) => seen.push(`a ${channel} ${event}`) },
      {},
      { published: (channel, event) => seen.push(`b ${channel} ${event}`) },
    ]);

    observers.published('chat:1', 'message');
    observers.delivered('chat:1', 1);

    expect(seen).toEqual(['a chat:1 message', 'b chat:1 message']);
  });

  it('reports an observer that throws, and goes on with the others', () => {
    const failures: Failure[] = [];
    const seen: string[] = [];
    const broken: Observer = {
      published() {
        throw new Error('broken');
      },
    };
    const observers = new Observers([
      broken,
      { published: (channel) => seen.push(channel), failed: (failure) => failures.push(failure) },
    ]);

    observers.published('chat:1', 'message');

    expect(seen).toEqual(['chat:1']);
    expect(failures).toMatchObject([{ where: 'an observer', error: { message: 'broken' } }]);
  });

  it('survives an observer that throws at a failure', () => {
    const failures: Failure[] = [];
    const broken: Observer = {
      failed() {
        throw new Error('broken');
      },
    };

    new Observers([broken, { failed: (failure) => failures.push(failure) }]).failed({ where: 'x', error: 1 });

    expect(failures).toEqual([{ where: 'x', error: 1 }]);
  });

  it('reports to one that is attached later, until it is detached, and takes that twice', () => {
    const seen: string[] = [];
    const observers = new Observers([{ published: (channel) => seen.push(`first ${channel}`) }]);
    observers.published('chat:1', 'message');

    const detach = observers.attach({ published: (channel) => seen.push(`later ${channel}`) });
    observers.published('chat:2', 'message');
    detach();
    detach();
    observers.published('chat:3', 'message');

    expect(seen).toEqual(['first chat:1', 'first chat:2', 'later chat:2', 'first chat:3']);
  });

  it('takes back one of two attachments of the same observer', () => {
    const seen: string[] = [];
    const observer: Observer = { published: (channel) => seen.push(channel) };
    const observers = new Observers([observer]);
    const detach = observers.attach(observer);
    observers.published('chat:1', 'message');

    detach();
    detach();
    observers.published('chat:2', 'message');

    expect(seen).toEqual(['chat:1', 'chat:1', 'chat:2']);
  });

  it('goes on with the others where one is detached while it is told', () => {
    const seen: string[] = [];
    const observers = new Observers([]);
    const detach = observers.attach({
      swept() {
        seen.push('once');
        detach();
      },
    });
    observers.attach({ swept: () => seen.push('always') });

    observers.swept();
    observers.swept();

    expect(seen).toEqual(['once', 'always', 'always']);
  });

  // A handler that outlives the shutdown told how long it took when everybody had been told that nothing follows.
  it('reports nothing but failures behind the end, to those who come later as well', () => {
    const seen: string[] = [];
    const observer: Observer = {
      swept: () => seen.push('swept'),
      handled: () => seen.push('handled'),
      failed: ({ where }) => seen.push(`${where} failed`),
      ended: () => seen.push('ended'),
    };
    const observers = new Observers([observer]);

    observers.ended();
    observers.attach(observer);
    observers.swept();
    observers.failed({ where: 'late', error: 1 });
    observers.ended();

    expect(seen).toEqual(['ended', 'late failed', 'late failed']);
    expect(observers.measuresHandlers).toBe(false);
  });

  it('reports one that throws at the end to all of them', () => {
    const seen: string[] = [];
    const broken: Observer = {
      ended() {
        throw new Error('broken');
      },
    };

    new Observers([
      broken,
      { ended: () => seen.push('ended'), failed: ({ where }) => seen.push(where) },
    ]).ended();

    expect(seen).toEqual(['an observer', 'ended']);
  });

  it('measures handlers only while somebody wants it, and is prepared for it where that is expected', () => {
    const observers = new Observers([]);
    const atFirst = observers.mayMeasureHandlers;
    observers.expectTiming();
    const expected = [observers.mayMeasureHandlers, observers.measuresHandlers];
    const detach = observers.attach({ handled: () => undefined });
    const meanwhile = observers.measuresHandlers;
    detach();

    expect([atFirst, expected, meanwhile, observers.measuresHandlers]).toEqual([
      false,
      [true, false],
      true,
      false,
    ]);
  });
});

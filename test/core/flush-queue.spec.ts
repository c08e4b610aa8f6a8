import { describe, expect, it } from 'vitest';
import type { Clock } from '../../lib/core/clock.interface.js';
import { ANSWERED_AT_ONCE, FlushQueue } from '../../lib/core/flush-queue.js';

/** A clock whose turns end when the test says so. */
class TurnClock implements Pick<Clock, 'afterTurn'> {
  readonly callbacks: (() => void)[] = [];

  afterTurn(callback: () => void): void {
    this.callbacks.push(callback);
  }

  endTurn(): void {
    for (const callback of this.callbacks.splice(0)) callback();
  }
}

function setUp(): { clock: TurnClock; queue: FlushQueue; flushed: string[] } {
  const clock = new TurnClock();
  return { clock, queue: new FlushQueue(clock as unknown as Clock), flushed: [] };
}

describe('FlushQueue', () => {
  it('flushes at the end of the turn, in order', () => {
    const { clock, queue, flushed } = setUp();

    queue.add({ flush: () => flushed.push('a') }, false);
    queue.add({ flush: () => flushed.push('b') }, false);
    const before = [...flushed];
    clock.endTurn();

    expect(before).toEqual([]);
    expect(flushed).toEqual(['a', 'b']);
  });

  it('asks for the end of the turn once, however many there are to flush', () => {
    const { clock, queue } = setUp();

    for (let added = 0; added < 100; added++) queue.add({ flush: () => undefined }, false);

    expect(clock.callbacks).toHaveLength(1);
  });

  it('flushes what was added once, and again what is added again', () => {
    const { clock, queue, flushed } = setUp();
    const outbox = { flush: () => flushed.push('a') };

    queue.add(outbox, false);
    clock.endTurn();
    clock.endTurn();
    const first = [...flushed];
    queue.add(outbox, false);
    clock.endTurn();

    expect(first).toEqual(['a']);
    expect(flushed).toEqual(['a', 'a']);
  });

  it('leaves what is added while it flushes to the next turn', () => {
    const { clock, queue, flushed } = setUp();
    const late = { flush: () => flushed.push('late') };
    queue.add({ flush: () => queue.add(late, false) }, false);

    clock.endTurn();
    const first = [...flushed];
    clock.endTurn();

    expect(first).toEqual([]);
    expect(flushed).toEqual(['late']);
  });

  describe('in a turn with many answers', () => {
    const answer = (queue: FlushQueue, flushed: string[], name: string): void =>
      queue.add({ flush: () => flushed.push(name) }, true);
    const names = (count: number): string[] => Array.from({ length: count }, (_, at) => String(at));

    it('keeps as many as may wait, and flushes them before it takes one more', () => {
      const { clock, queue, flushed } = setUp();

      for (const name of names(ANSWERED_AT_ONCE)) answer(queue, flushed, name);
      const before = [...flushed];
      answer(queue, flushed, 'one more');
      const behind = [...flushed];
      clock.endTurn();

      expect(before).toEqual([]);
      expect(behind).toEqual(names(ANSWERED_AT_ONCE));
      expect(flushed).toEqual([...names(ANSWERED_AT_ONCE), 'one more']);
      expect(clock.callbacks).toEqual([]);
    });

    it('waits for its end as soon as something is no answer: others may get the same', () => {
      const { clock, queue, flushed } = setUp();
      queue.add({ flush: () => flushed.push('event') }, false);

      for (const name of names(2 * ANSWERED_AT_ONCE)) answer(queue, flushed, name);
      const before = [...flushed];
      clock.endTurn();

      expect(before).toEqual([]);
      expect(flushed).toEqual(['event', ...names(2 * ANSWERED_AT_ONCE)]);
    });

    it('does so again in the next turn', () => {
      const { clock, queue, flushed } = setUp();
      queue.add({ flush: () => undefined }, false);
      clock.endTurn();

      for (const name of names(ANSWERED_AT_ONCE + 1)) answer(queue, flushed, name);

      expect(flushed).toEqual(names(ANSWERED_AT_ONCE));
    });
  });
});

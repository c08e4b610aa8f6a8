import { describe, expect, it } from 'vitest';
import type { Clock } from '../../lib/core/clock.interface.js';
import { ANSWERED_AT_ONCE, FlushQueue, type Flushable } from '../../lib/core/flush-queue.js';

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

function outbox(flush: () => unknown): Flushable {
  return { earlyTurn: -1, flush: () => void flush() };
}

function setUp(): { clock: TurnClock; queue: FlushQueue; flushed: string[] } {
  const clock = new TurnClock();
  return { clock, queue: new FlushQueue(clock as unknown as Clock), flushed: [] };
}

describe('FlushQueue', () => {
  it('flushes at the end of the turn, in order', () => {
    const { clock, queue, flushed } = setUp();

    queue.add(outbox(() => flushed.push('a')));
    queue.add(outbox(() => flushed.push('b')));
    const before = [...flushed];
    clock.endTurn();

    expect(before).toEqual([]);
    expect(flushed).toEqual(['a', 'b']);
  });

  it('asks for the end of the turn once, however many there are to flush', () => {
    const { clock, queue } = setUp();

    for (let added = 0; added < 100; added++) queue.add(outbox(() => undefined));

    expect(clock.callbacks).toHaveLength(1);
  });

  it('flushes what was added once, and again what is added again', () => {
    const { clock, queue, flushed } = setUp();
    const again = outbox(() => flushed.push('a'));

    queue.add(again);
    clock.endTurn();
    clock.endTurn();
    const first = [...flushed];
    queue.add(again);
    clock.endTurn();

    expect(first).toEqual(['a']);
    expect(flushed).toEqual(['a', 'a']);
  });

  it('leaves what is added while it flushes to the next turn', () => {
    const { clock, queue, flushed } = setUp();
    const late = outbox(() => flushed.push('late'));
    queue.add(outbox(() => queue.add(late)));

    clock.endTurn();
    const first = [...flushed];
    clock.endTurn();

    expect(first).toEqual([]);
    expect(flushed).toEqual(['late']);
  });

  describe('in a turn with many answers', () => {
    const names = (count: number): string[] => Array.from({ length: count }, (_, at) => String(at));
    const answers = (count: number, flushed: string[]): Flushable[] =>
      names(count).map((name) => outbox(() => flushed.push(name)));

    it('keeps as many as may wait, and flushes them before it takes one more', () => {
      const { clock, queue, flushed } = setUp();

      for (const answer of answers(ANSWERED_AT_ONCE, flushed)) queue.add(answer);
      const before = [...flushed];
      queue.add(outbox(() => flushed.push('one more')));
      const behind = [...flushed];
      clock.endTurn();

      expect(before).toEqual([]);
      expect(behind).toEqual(names(ANSWERED_AT_ONCE));
      expect(flushed).toEqual([...names(ANSWERED_AT_ONCE), 'one more']);
      expect(clock.callbacks).toEqual([]);
    });

    it('waits for its end as soon as something is no answer: others may get the same', () => {
      const { clock, queue, flushed } = setUp();
      queue.hold();

      for (const answer of answers(2 * ANSWERED_AT_ONCE, flushed)) queue.add(answer);
      const before = [...flushed];
      clock.endTurn();

      expect(before).toEqual([]);
      expect(flushed).toEqual(names(2 * ANSWERED_AT_ONCE));
    });

    it('flushes nobody early who has more to send: at most once before its end, and once there', () => {
      const { clock, queue, flushed } = setUp();
      const all = answers(2 * ANSWERED_AT_ONCE, flushed);

      for (let round = 0; round < 20; round++) for (const answer of all) queue.add(answer);
      const early = [...flushed];

      expect(early).toEqual(names(2 * ANSWERED_AT_ONCE).slice(0, ANSWERED_AT_ONCE));
      expect(clock.callbacks).toHaveLength(1);
    });

    it('does so again in the next turn', () => {
      const { clock, queue, flushed } = setUp();
      queue.hold();
      queue.add(outbox(() => undefined));
      clock.endTurn();

      for (const answer of answers(ANSWERED_AT_ONCE + 1, flushed)) queue.add(answer);

      expect(flushed).toEqual(names(ANSWERED_AT_ONCE));
    });
  });
});

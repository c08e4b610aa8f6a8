import { describe, expect, it } from 'vitest';
import type { Clock } from '../../lib/core/clock.interface.js';
import { FlushQueue } from '../../lib/core/flush-queue.js';

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

    queue.add({ flush: () => flushed.push('a') });
    queue.add({ flush: () => flushed.push('b') });
    const before = [...flushed];
    clock.endTurn();

    expect(before).toEqual([]);
    expect(flushed).toEqual(['a', 'b']);
  });

  it('asks for the end of the turn once, however many there are to flush', () => {
    const { clock, queue } = setUp();

    for (let added = 0; added < 100; added++) queue.add({ flush: () => undefined });

    expect(clock.callbacks).toHaveLength(1);
  });

  it('flushes what was added once, and again what is added again', () => {
    const { clock, queue, flushed } = setUp();
    const outbox = { flush: () => flushed.push('a') };

    queue.add(outbox);
    clock.endTurn();
    clock.endTurn();
    const first = [...flushed];
    queue.add(outbox);
    clock.endTurn();

    expect(first).toEqual(['a']);
    expect(flushed).toEqual(['a', 'a']);
  });

  it('leaves what is added while it flushes to the next turn', () => {
    const { clock, queue, flushed } = setUp();
    const late = { flush: () => flushed.push('late') };
    queue.add({ flush: () => queue.add(late) });

    clock.endTurn();
    const first = [...flushed];
    clock.endTurn();

    expect(first).toEqual([]);
    expect(flushed).toEqual(['late']);
  });
});

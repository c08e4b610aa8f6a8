import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, vi } from 'vitest';
import { WorkCounter } from '../../lib/core/work-counter.js';
import { settled } from './engine-rig.js';

/** Waits for idleness, with a look at whether it has come. */
function wait(counter: WorkCounter, timeoutMs: number): { readonly ended: () => boolean } {
  let ended = false;
  void counter.idle(timeoutMs).then(() => (ended = true));
  return { ended: () => ended };
}

describe('WorkCounter', () => {
  it('resolves where nothing is under way', async () => {
    const counter = new WorkCounter(new TestClock());

    const waiting = wait(counter, 1_000);
    await settled();

    expect(waiting.ended()).toBe(true);
  });

  it('waits until the last piece of work has finished', async () => {
    const counter = new WorkCounter(new TestClock());
    counter.begin();
    counter.begin();
    const waiting = wait(counter, 1_000);

    counter.finish();
    await settled();
    const before = waiting.ended();
    counter.finish();
    await settled();

    expect([before, waiting.ended()]).toEqual([false, true]);
  });

  it('waits for what begins in the turn in which other work has finished', async () => {
    const counter = new WorkCounter(new TestClock());
    counter.begin();
    const waiting = wait(counter, 1_000);

    counter.finish();
    await Promise.resolve();
    counter.begin();
    await settled();
    const before = waiting.ended();
    counter.finish();
    await settled();

    expect([before, waiting.ended()]).toEqual([false, true]);
  });

  it('lets what has just finished be answered first', async () => {
    const counter = new WorkCounter(new TestClock());
    const order: string[] = [];
    counter.begin();
    void counter.idle(1_000).then(() => order.push('idle'));

    counter.finish();
    void Promise.resolve()
      .then(() => undefined)
      .then(() => undefined)
      .then(() => order.push('answered'));
    await settled();

    expect(order).toEqual(['answered', 'idle']);
  });

  it('waits no longer than the timeout', async () => {
    const clock = new TestClock();
    const counter = new WorkCounter(clock);
    counter.begin();
    const waiting = wait(counter, 1_000);

    await clock.advance(999);
    const before = waiting.ended();
    await clock.advance(1);

    expect([before, waiting.ended()]).toEqual([false, true]);
  });

  it('tells everybody who waits', async () => {
    const counter = new WorkCounter(new TestClock());
    counter.begin();
    const waiting = [wait(counter, 1_000), wait(counter, 1_000)];

    counter.finish();
    await settled();

    expect(waiting.map(({ ended }) => ended())).toEqual([true, true]);
  });

  it('leaves no timer behind, whether it became idle or not', async () => {
    const clock = new TestClock();
    const counter = new WorkCounter(clock);
    counter.begin();
    wait(counter, 10);
    await clock.advance(10);
    wait(counter, 1_000);

    counter.finish();
    await settled();

    expect(clock.pendingTimers).toBe(0);
  });

  it('looks at nothing for somebody who has stopped waiting', async () => {
    const clock = new TestClock();
    const afterTurn = vi.spyOn(clock, 'afterTurn');
    const counter = new WorkCounter(clock);
    counter.begin();
    wait(counter, 10);
    await clock.advance(10);

    counter.finish();

    expect(afterTurn).not.toHaveBeenCalled();
  });

  it('can be waited for again', async () => {
    const counter = new WorkCounter(new TestClock());
    await counter.idle(1_000);
    counter.begin();

    const waiting = wait(counter, 1_000);
    await settled();
    const before = waiting.ended();
    counter.finish();
    await settled();

    expect([before, waiting.ended()]).toEqual([false, true]);
  });
});

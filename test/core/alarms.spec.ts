import { TestClock } from 'nestjs-channels/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Alarms } from '../../lib/core/alarms.js';
import type { Expirable } from '../../lib/core/deadlines.js';

interface Rig {
  readonly clock: TestClock;
  readonly alarms: Alarms;
  /** What has expired, and when: `a 100`. */
  readonly expired: string[];
  add(name: string, ms: number): Expirable;
}

function setUp(): Rig {
  const clock = new TestClock();
  const alarms = new Alarms(clock);
  const expired: string[] = [];
  const add = (name: string, ms: number): Expirable => {
    const entry = { expiresAt: 0, expire: () => void expired.push(`${name} ${clock.now()}`) };
    alarms.add(entry, ms);
    return entry;
  };
  return { clock, alarms, expired, add };
}

it('rings for each at its own time, whatever the order in which they came', async () => {
  const { clock, expired, add } = setUp();
  add('long', 5_000);
  add('short', 20);
  await clock.advance(10);
  add('middle', 100);
  add('also short', 20);

  await clock.advance(10_000);

  expect(expired).toEqual(['short 20', 'also short 30', 'middle 110', 'long 5000']);
});

it('has one timer, however many wait, and none when nothing does', async () => {
  const { clock, alarms, add } = setUp();
  const entries = [10, 20, 20, 30].map((ms): [Expirable, number] => [add('x', ms), ms]);
  const timers = [clock.pendingTimers];

  for (const [entry, ms] of entries) {
    alarms.delete(entry, ms);
    timers.push(clock.pendingTimers);
  }

  expect(timers).toEqual([1, 1, 1, 1, 0]);
});

it('leaves those alone that were deleted, and rings for the others', async () => {
  const { clock, alarms, expired, add } = setUp();
  const first = add('first', 10);
  add('second', 20);

  alarms.delete(first, 10);
  alarms.delete(first, 10);
  await clock.advance(20);

  expect(expired).toEqual(['second 20']);
  expect(clock.pendingTimers).toBe(0);
});

it('keeps what is added while it rings, also for as long as what has just expired', async () => {
  const { clock, alarms, expired, add } = setUp();
  const again = {
    expiresAt: 0,
    expire: () => {
      // As a request does that settles: it deletes itself, whoever has expired it.
      alarms.delete(again, 10);
      add('same', 10);
      add('sooner', 5);
    },
  };
  alarms.add(again, 10);

  await clock.advance(30);

  expect(expired).toEqual(['sooner 15', 'same 20']);
  expect(clock.pendingTimers).toBe(0);
});

it('comes back when a timer of the platform has fired too early', async () => {
  const { clock, expired, add } = setUp();
  let isEarly = true;
  const setTimeout = clock.setTimeout.bind(clock);
  clock.setTimeout = (callback, ms) => {
    const early = isEarly ? ms - 1 : ms;
    isEarly = false;
    return setTimeout(callback, early);
  };

  add('x', 10);
  await clock.advance(10);

  expect(expired).toEqual(['x 10']);
});

it('walks over no line when one of it is deleted, which would cost as much as have been in it', () => {
  const { alarms, add } = setUp();
  const entries = Array.from({ length: 100 }, () => add('x', 10));
  const walks = vi.spyOn(Set.prototype, Symbol.iterator);
  onTestFinished(() => walks.mockRestore());

  for (const entry of entries) alarms.delete(entry, 10);

  expect(walks.mock.calls.length).toBe(0);
});

import { describe, expect, it } from 'vitest';
import { LoopDelay } from '../../lib/health/loop-delay.js';
import { LateClock } from './late-clock.js';

const WINDOW_MS = 10_000;

function start(): { clock: LateClock; delay: LoopDelay } {
  const clock = new LateClock();
  const delay = new LoopDelay(clock);
  delay.start();
  return { clock, delay };
}

describe('LoopDelay', () => {
  it('is 0 while the event loop is in time, for however long', async () => {
    const { clock, delay } = start();

    const samples: number[] = [];
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      samples.push(delay.ms);
    }

    expect(new Set(samples)).toEqual(new Set([0]));
  });

  it('is how late a timer came', async () => {
    const { clock, delay } = start();
    await clock.advance(1_000);

    clock.hold(6_000);
    await clock.advance(200);

    expect(delay.ms).toBe(6_000);
  });

  it('counts what is overdue where it is asked before the timer has come', async () => {
    const { clock, delay } = start();
    await clock.advance(1_000);

    clock.hold(700);

    // The next look was due 200 ms after the last one.
    expect(delay.ms).toBe(500);
  });

  it('is the worst of several', async () => {
    const { clock, delay } = start();
    for (const ms of [30, 400, 10]) {
      clock.hold(ms);
      await clock.advance(200);
    }

    expect(delay.ms).toBe(400);
  });

  it('forgets a delay when the event loop has been in time for ten seconds, and not a look earlier', async () => {
    const { clock, delay } = start();
    clock.hold(6_000);
    await clock.advance(200);

    await clock.advance(WINDOW_MS - 200);
    const before = delay.ms;
    await clock.advance(200);

    expect([before, delay.ms]).toEqual([6_000, 0]);
  });

  it('remembers the second worst when the worst is forgotten', async () => {
    const { clock, delay } = start();
    clock.hold(6_000);
    await clock.advance(5_000);
    clock.hold(900);
    await clock.advance(WINDOW_MS - 4_000);

    expect(delay.ms).toBe(900);
  });

  it('tells whole milliseconds', async () => {
    const { clock, delay } = start();
    clock.hold(12.345);
    await clock.advance(200);

    expect(delay.ms).toBe(12);
  });

  it('looks at nothing before it has started, and has one timer however often it is', async () => {
    const clock = new LateClock();
    const delay = new LoopDelay(clock);
    clock.hold(5_000);
    const before = delay.ms;

    delay.start();
    delay.start();

    expect([before, delay.ms, clock.pendingTimers]).toEqual([0, 0, 1]);
  });

  it('leaves no timer behind when it is closed, twice as well', () => {
    const { clock, delay } = start();

    delay.close();
    delay.close();

    expect(clock.pendingTimers).toBe(0);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

// The module keeps how far the clocks are apart, and may have been loaded before.
beforeEach(() => void vi.resetModules());
afterEach(() => void vi.restoreAllMocks());

/** A page whose two clocks are set by hand. */
async function start(): Promise<{
  readonly now: () => number;
  set(monotonicMs: number, wallMs: number): void;
}> {
  const monotonic = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  const wall = vi.spyOn(Date, 'now').mockReturnValue(5_000_000);
  const { systemClock } = await import('../../lib/client/system.js');
  systemClock.now();
  return {
    now: () => systemClock.now() - 1_000,
    set(monotonicMs, wallMs) {
      monotonic.mockReturnValue(1_000 + monotonicMs);
      wall.mockReturnValue(5_000_000 + wallMs);
    },
  };
}

describe('the clock of a client', () => {
  it('goes with the monotonic one', async () => {
    const clock = await start();

    clock.set(250, 250);

    expect(clock.now()).toBe(250);
  });

  it('counts the sleep in which the monotonic one stands still', async () => {
    const clock = await start();

    clock.set(300, 600_000);
    expect(clock.now()).toBe(600_000);

    clock.set(1_300, 601_000);
    expect(clock.now()).toBe(601_000);
  });

  it('never goes back, though the wall clock is set back', async () => {
    const clock = await start();

    clock.set(100, 100);
    clock.set(200, -3_600_000);
    expect(clock.now()).toBe(200);

    clock.set(300, -3_599_900);
    expect(clock.now()).toBe(300);
  });

  it('does not count the same sleep twice, nor the rounding of a clock', async () => {
    const clock = await start();

    for (let ms = 0; ms <= 10_000; ms++) {
      clock.set(ms + 0.4, ms + (ms % 2));
      clock.now();
    }

    expect(clock.now()).toBeLessThan(10_002);
  });
});

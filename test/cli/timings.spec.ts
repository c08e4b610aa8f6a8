import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timings } from '../../lib/cli/timings.js';

const timingsOf = (times: readonly number[]): Timings => {
  const timings = new Timings();
  for (const ms of times) timings.add(ms);
  return timings;
};

describe('Timings', () => {
  it('has nothing to tell where nothing was timed', () => {
    expect(timingsOf([]).summary()).toEqual({ count: 0, p50: null, p95: null, p99: null, max: null });
    expect(timingsOf([]).percentile(99)).toBeUndefined();
  });

  it('tells percentiles in milliseconds, a thousandth off at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1 }),
        (times) => {
          const { count, p50, max } = timingsOf(times).summary();
          const sorted = times.toSorted((a, b) => a - b);
          const isNear = (actual: number | null, wanted: number): boolean =>
            Math.abs((actual ?? Number.NaN) - wanted) <= wanted / 1_000 + 0.001;

          expect(count).toBe(times.length);
          expect(isNear(p50, sorted[Math.ceil(times.length / 2) - 1] ?? 0)).toBe(true);
          expect(isNear(max, sorted.at(-1) ?? 0)).toBe(true);
        },
      ),
    );
  });

  it.each([
    [0, 0.001],
    [-1, 0.001],
    [3_600_000, 3_600_000],
    [3_600_001, 3_600_000],
  ])('takes %d ms for %d', (ms, told) => {
    const { count, max } = timingsOf([ms]).summary();

    expect(count).toBe(1);
    expect(max).toBeGreaterThanOrEqual(told);
    expect(max).toBeLessThanOrEqual(told * 1.001);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pacer } from '../../lib/cli/pacer.js';

describe('Pacer', () => {
  it('spreads work evenly, from the beginning on', () => {
    const pacer = new Pacer(10);

    expect([0, 99, 100, 100, 350].map((ms) => pacer.take(ms))).toEqual([0, 0, 1, 0, 2]);
  });

  it('gives as much in all, however often it is asked', () => {
    const looks = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1 });
    fc.assert(
      fc.property(looks, fc.integer({ min: 1, max: 10_000 }), (times, perSecond) => {
        const pacer = new Pacer(perSecond);
        const last = Math.max(...times);

        const taken = times.toSorted((a, b) => a - b).reduce((sum, ms) => sum + pacer.take(ms), 0);

        expect(taken).toBe(Math.floor((last * perSecond) / 1_000));
      }),
    );
  });

  it('ends at its limit', () => {
    const pacer = new Pacer(1_000, 3);

    expect([pacer.take(2), pacer.isDone]).toEqual([2, false]);
    expect([pacer.take(1_000), pacer.isDone]).toEqual([1, true]);
    expect(pacer.take(2_000)).toBe(0);
  });

  it('is done at once where there is nothing', () => {
    expect(new Pacer(1, 0).isDone).toBe(true);
  });
});

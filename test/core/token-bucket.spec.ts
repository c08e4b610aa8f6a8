import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../lib/core/token-bucket.js';

const RATE = { points: 3, perMs: 10, burst: 5 };

function takeAll(bucket: TokenBucket, now: number): number {
  let taken = 0;
  for (; bucket.has(1, now); taken += 1) bucket.take(1);
  return taken;
}

describe('TokenBucket', () => {
  it('has its burst at first, and not one more', () => {
    expect(takeAll(new TokenBucket(RATE, 0), 0)).toBe(5);
  });

  it('gets its points as time passes, none too early', () => {
    const bucket = new TokenBucket(RATE, 0);
    takeAll(bucket, 0);

    const taken = [3, 4, 6, 7, 9, 10].map((now) => takeAll(bucket, now));

    expect(taken).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it('never holds more than its burst', () => {
    const bucket = new TokenBucket(RATE, 0);
    takeAll(bucket, 0);

    expect(takeAll(bucket, 1_000_000)).toBe(5);
  });

  it('says how long it takes until there is enough', () => {
    const bucket = new TokenBucket(RATE, 0);
    takeAll(bucket, 0);

    const waitMs = bucket.msUntil(2, 0);

    expect([waitMs, bucket.has(2, waitMs - 1), bucket.has(2, waitMs)]).toEqual([7, false, true]);
  });

  it('owes what was taken and was not there', () => {
    const bucket = new TokenBucket(RATE, 0);
    for (let at = 0; at < 8; at += 1) bucket.take(1);

    expect([bucket.owes(9), bucket.owes(10), bucket.has(1, 13), bucket.has(1, 14)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('takes all that it can hold for what costs more', () => {
    const bucket = new TokenBucket(RATE, 0);

    expect(bucket.has(6, 0)).toBe(true);
    bucket.take(6);

    expect([bucket.owes(0), bucket.has(1, 0), bucket.msUntil(100, 0)]).toEqual([false, false, 17]);
  });

  it('does not go back where time does', () => {
    const bucket = new TokenBucket(RATE, 100);
    takeAll(bucket, 100);

    expect([takeAll(bucket, 50), takeAll(bucket, 103), takeAll(bucket, 104)]).toEqual([0, 0, 1]);
  });

  it('counts exactly, however often it is looked at', () => {
    const rates = fc.record({
      points: fc.integer({ min: 1, max: 5_000_000 }),
      perMs: fc.integer({ min: 1, max: 100_000 }),
      burst: fc.integer({ min: 1, max: 5_000_000 }),
    });
    const steps = fc.array(
      fc.record({ pause: fc.nat(50), looks: fc.nat(3), cost: fc.integer({ min: 1, max: 1_000_000 }) }),
    );
    fc.assert(
      fc.property(rates, steps, (rate, history) => {
        const bucket = new TokenBucket(rate, 0);
        const full = BigInt(rate.burst) * BigInt(rate.perMs);
        let level = full;
        let now = 0;
        for (const { pause, looks, cost } of history) {
          now += pause;
          for (let look = 0; look < looks; look += 1) bucket.owes(now - pause + (pause * look) / looks);
          level += BigInt(pause) * BigInt(rate.points);
          if (level > full) level = full;
          const parts = BigInt(Math.min(cost, rate.burst)) * BigInt(rate.perMs);
          const has = bucket.has(cost, now);
          expect(has).toBe(level >= parts);
          if (!has) continue;
          bucket.take(cost);
          level -= parts;
        }
      }),
    );
  });
});

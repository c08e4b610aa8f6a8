import { expect, it } from 'vitest';
import { TestClock } from 'nestjs-channels/testing';
import { MemoryRateStore } from '../../lib/core/memory-rate-store.js';
import { rateStoreContract } from '../contract/rate-store.contract.js';

rateStoreContract('MemoryRateStore', {
  create: () => {
    const clock = new TestClock();
    const store = new MemoryRateStore({ clock, maxBuckets: 100 });
    return { stores: [store, store], pass: (ms) => clock.advance(ms) };
  },
});

const RULE = { points: 1, perMs: 1_000 };

function key(principal: string): { name: string; principal: string } {
  return { name: 'say', principal };
}

it('keeps as many buckets as it may, and begins anew with that which was not used for longest', () => {
  const store = new MemoryRateStore({ clock: new TestClock(), maxBuckets: 2 });
  for (const who of ['ada', 'bob', 'ada']) store.take(key(who), RULE);
  const kept = [store.take(key('bob'), RULE), store.take(key('ada'), RULE)];

  store.take(key('cem'), RULE);

  expect(kept).toEqual([1_000, 1_000]);
  expect([store.size, store.take(key('ada'), RULE), store.take(key('bob'), RULE)]).toEqual([2, 1_000, 0]);
});

it('forgets what is full again', async () => {
  const clock = new TestClock();
  const store = new MemoryRateStore({ clock, maxBuckets: 1_000 });
  for (const who of ['ada', 'bob', 'cem']) store.take(key(who), RULE);
  await clock.advance(999);
  store.take(key('bob'), RULE);
  store.sweep(clock.now());
  const before = store.size;

  await clock.advance(1);
  store.take(key('cem'), RULE);
  store.sweep(clock.now());

  expect([before, store.size]).toEqual([3, 1]);
});

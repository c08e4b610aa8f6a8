import { expect, it } from 'vitest';
import { TestClock } from 'nestjs-channels/testing';
import { ChannelsError } from '../../lib/core/errors.js';
import { PrincipalRates } from '../../lib/core/principal-rates.js';
import type { RateKey, RateStore } from '../../lib/core/rate-store.interface.js';

const RULE = { points: 1, perMs: 1_000 };

function start(take: RateStore['take'], maxRateBuckets = 2) {
  const clock = new TestClock();
  const failures: string[] = [];
  const observers = { failed: ({ where }: { where: string }) => void failures.push(where) };
  const asked: string[] = [];
  const shared: RateStore = {
    take: (key, rule) => {
      asked.push(key.principal);
      return take(key, rule);
    },
  };
  return { clock, failures, asked, rates: new PrincipalRates({ shared, observers, clock, maxRateBuckets }) };
}

function of(principal: string): RateKey {
  return { name: '/ws say', principal };
}

it('does not ask the store again for somebody before there is a point', async () => {
  const { clock, asked, rates } = start(() => 300);
  const first = await rates.take(of('ada'), RULE);
  await clock.advance(299);
  const early = await rates.take(of('ada'), RULE);
  await clock.advance(1);
  const later = await rates.take(of('ada'), RULE);

  expect([first, early, later]).toEqual([300, 1, 300]);
  expect(asked).toEqual(['ada', 'ada']);
});

it('keeps so many refusals, forgets the oldest for one more, and those that are over', async () => {
  const { clock, asked, rates } = start(() => 300);
  for (const who of ['ada', 'bob', 'cem']) await rates.take(of(who), RULE);
  for (const who of ['cem', 'bob', 'ada']) await rates.take(of(who), RULE);
  const kept = rates.size;

  await clock.advance(300);
  rates.sweep(clock.now());

  expect(asked).toEqual(['ada', 'bob', 'cem', 'ada']);
  expect([kept, rates.size]).toEqual([2, 0]);
});

it('counts by itself while the store is away, and reports any other failure', async () => {
  let error: Error = new ChannelsError('unavailable', 'away');
  const { failures, rates } = start(() => Promise.reject(error));

  const away = [await rates.take(of('ada'), RULE), await rates.take(of('ada'), RULE)];
  const quiet = [...failures];
  error = new Error('broken');
  const broken = await rates.take(of('bob'), RULE);

  expect([away, quiet, broken]).toEqual([[0, 1_000], [], 0]);
  expect(failures).toEqual(['the rate of a principal']);
});

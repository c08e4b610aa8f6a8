import { expect, it } from 'vitest';
import { TestClock } from 'nestjs-channels/testing';
import { RevocationTable } from '../../lib/core/revocation-table.js';

it('forgets what is over where there is much, also where all of it was learned from other nodes', async () => {
  const clock = new TestClock();
  const table = new RevocationTable(clock);
  const learn = (principal: string, ms: number): void => {
    const revokedAt = clock.wallNow();
    table.set({ target: { principal }, revokedAt, until: revokedAt + ms });
  };
  for (let at = 0; at < 10; at += 1) learn(`lasting ${at}`, 1_000_000);
  let most = 0;

  for (let round = 0; round < 20; round += 1) {
    for (let at = 0; at < 1_000; at += 1) learn(`${round} ${at}`, 10);
    most = Math.max(most, table.size);
    await clock.advance(20);
  }

  expect(most).toBeLessThanOrEqual(2_020);
  expect(table.covers({ principal: 'lasting 0', user: undefined })).toBe(true);
});

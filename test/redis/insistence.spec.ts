import { TestClock } from 'nestjs-channels/testing';
import { expect, it } from 'vitest';
import { SystemRandom } from '../../lib/nest/system-clock.js';
import { Insistence, MAX_HELD_LENGTH } from '../../lib/redis/insistence.js';
import { Deferred } from '../support/deferred.js';

it('holds so much for a Redis that is silent, and not a character more', async () => {
  const insistence = new Insistence(new TestClock(), new SystemRandom(), 30_000);
  const silent = new Deferred<string>();
  const held = insistence.run(() => silent.promise, MAX_HELD_LENGTH - 1);
  const last = insistence.run(() => silent.promise, 1);

  const refused = insistence.run(() => silent.promise, 1);

  await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
  silent.resolve('taken');
  expect(await Promise.all([held, last])).toEqual(['taken', 'taken']);
  expect(await insistence.run(() => silent.promise, MAX_HELD_LENGTH)).toBe('taken');
});

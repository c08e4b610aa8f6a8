import { ServiceUnavailableException } from '@nestjs/common';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { expect, it } from 'vitest';
import { LoggingObserver } from '../../lib/nest/logging.observer.js';
import { Deferred } from '../support/deferred.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { TokenRig, tokenOf } from '../support/token-rig.js';

async function start(channels: ChannelsModuleOptions = {}) {
  const clock = new TestClock();
  const observer = new RecordingObserver();
  const logger = new RecordingLogger();
  const observers = [observer, new LoggingObserver(logger, clock)];
  const rig = await TokenRig.start({ ...channels, observers }, clock);
  return { rig, observer, logger, client: await rig.enter(60) };
}

/** Rejects, and is looked at later. */
function failing(error: Error): Promise<never> {
  const promise = Promise.reject<never>(error);
  promise.catch(() => undefined);
  return promise;
}

it.each([
  ['that the guards refuse', () => 'refused', 'unauthorized'],
  ['that has ended', () => tokenOf({ sub: 'ada', exp: 1 }), 'unauthorized'],
  ['of another principal', (rig: TokenRig) => rig.token(60, { sub: 'eve' }), 'forbidden'],
  [
    'at which the guards fail',
    (rig: TokenRig) => {
      rig.desk.opens = failing(new Error('broken guard'));
      return rig.token(60);
    },
    'internal',
  ],
  [
    'about which nobody can decide',
    (rig: TokenRig) => {
      rig.desk.opens = failing(new ServiceUnavailableException());
      return rig.token(60);
    },
    'unavailable',
  ],
])('tells observers and the log of a token %s, and never the token', async (_what, give, code) => {
  const { rig, observer, logger, client } = await start();
  const token = give(rig);

  const { error } = await client.request('$refresh', { token });

  expect(error?.code).toBe(code);
  expect(observer.faults).toEqual(['refresh_refused']);
  const lines = logger.debugs.filter((line) => line.startsWith('refresh_refused from'));
  expect(lines).toEqual([expect.stringMatching(/ on \/ws, "/)]);
  expect(logger.lines.join().replaceAll('refresh_refused', '')).not.toContain(token);
});

it('writes one line for many of them', async () => {
  const { rig, logger, observer } = await start();
  const clients = await Promise.all(Array.from({ length: 5 }, () => rig.enter(60)));

  await Promise.all(clients.map((client) => client.request('$refresh', { token: 'refused' })));

  expect(observer.faults).toHaveLength(5);
  expect(logger.debugs.filter((line) => line.includes('refresh_refused'))).toHaveLength(1);
});

it('tells nothing of one that is taken', async () => {
  const { rig, observer, logger, client } = await start();

  await client.request('$refresh', { token: rig.token(60) });

  expect([observer.faults, logger.debugs]).toEqual([[], [expect.stringMatching(/^opened /)]]);
});

it('tells nothing of one whose connection has ended meanwhile: nobody was refused', async () => {
  const { rig, observer, client } = await start();
  const opens = new Deferred<void>();
  rig.desk.opens = opens.promise;
  client.send({ event: '$refresh', id: 1, data: { token: 'refused' } });
  await client.request('who');

  await client.close();
  await observer.until(({ closes }) => closes.length > 0);
  opens.resolve();
  await rig.clock.advance(10);

  expect(observer.faults).toEqual([]);
});

it('lets maxPendingUpgrades of them wait for their guards, and answers one more with unavailable', async () => {
  const { rig, observer, client } = await start({ maxPendingUpgrades: 2 });
  const others = [await rig.enter(60), await rig.enter(60)];
  const opens = new Deferred<void>();
  rig.desk.opens = opens.promise;

  const waiting = others.map((other) => other.request('$refresh', { token: rig.token(60) }));
  await Promise.all(others.map((other) => other.request('who')));
  const one = await client.request('$refresh', { token: rig.token(60) });
  const faults = [...observer.faults];
  opens.resolve();
  const answers = await Promise.all(waiting);
  await rig.clock.advance(1_000);
  const later = await client.request('$refresh', { token: rig.token(60) });

  expect(one.error).toMatchObject({ code: 'unavailable', retryable: true, retryAfterMs: 1_000 });
  expect(faults).toEqual(['refresh_refused']);
  expect([...answers, later].map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
});

import { expect, it } from 'vitest';
import { TestClock, type ChannelsTestApp } from 'nestjs-channels/testing';
import { Deferred } from '../support/deferred.js';
import { guardedGateway, type Check } from '../support/guarded-gateway.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };
const FUTURE = { protocols: ['nestjs-channels.v9.json'] };

async function start(channels: object, check: Check = () => true): Promise<ChannelsTestApp> {
  return startApp({ clock: new TestClock(), providers: [guardedGateway(check)], channels });
}

it('takes no turn for somebody for whom there is no room among those that wait for their guards', async () => {
  const opens = new Deferred<boolean>();
  const app = await start({ handshakesPerSecond: 2, maxPendingUpgrades: 1 }, () => opens.promise);
  const first = app.connect('/ws', PLAIN);
  await expect
    .poll(async () => (await refusalOf(app.connect('/ws', PLAIN))).body)
    .toMatchObject({ message: 'too many handshakes at once' });

  opens.resolve(true);
  await first;

  // The second turn is there still.
  await app.connect('/ws', PLAIN);
  expect((await refusalOf(app.connect('/ws', PLAIN))).body).toMatchObject({
    message: 'too many handshakes; your turn comes later',
  });
});

it('counts a version that is not spoken as a handshake', async () => {
  const app = await start({ handshakesPerSecond: 2 });

  const first = await app.connect('/ws', FUTURE);
  const second = await app.connect('/ws', FUTURE);
  const third = await app.connect('/ws', FUTURE);

  expect((await first.closed).code).toBe(4506);
  expect((await second.closed).code).toBe(4506);
  expect((await third.closed).code).toBe(1013);
});

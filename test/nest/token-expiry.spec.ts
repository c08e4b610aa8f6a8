import { HandshakeRefused } from 'nestjs-channels/testing';
import { expect, it } from 'vitest';
import { TokenRig, tokenOf } from '../support/token-rig.js';
import { isPending } from '../support/pending.js';

const HOUR_MS = 3_600_000;
/** The longest that a timer of Node can wait. */
const LONGEST_TIMER_S = 2_147_483;

it('closes with 4401 within a second of the end of the token, and not before', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);

  await rig.clock.advance(59_900);
  const before = await isPending(client.closed);
  await rig.clock.advance(1_100);

  expect(before).toBe(true);
  expect(await client.closed).toMatchObject({ code: 4401, reason: 'come back with a new token' });
});

it('tells the client how long it may go on', async () => {
  const rig = await TokenRig.start();
  const client = await rig.app.connect('/ws', { token: rig.token(60) });

  const { data } = await client.hello();

  expect(data).toMatchObject({ expiresInMs: 60_000 });
});

it.each([
  ['whose token has no end', { sub: 'ada' }],
  ['whose token is no JWT', undefined],
])('never closes somebody %s, and tells no end', async (_who, claims) => {
  const session = () => ({ principal: 'ada' });
  const rig = await TokenRig.start(claims ? {} : { session });
  const client = await rig.app.connect('/ws', { token: claims ? tokenOf(claims) : tokenOf({}) });

  const { data } = await client.hello();
  await rig.clock.advance(1_000);

  expect(data).not.toHaveProperty('expiresInMs');
  expect(await client.request('who')).toHaveProperty('ack');
});

it('goes by what the option session says', async () => {
  const session = () => ({ principal: 'ada', expiresAt: Number.POSITIVE_INFINITY });
  const rig = await TokenRig.start({ session });
  const client = await rig.enter(1);

  await rig.clock.advance(5_000);

  expect(await isPending(client.closed)).toBe(true);
});

it('takes what session leaves out from the token', async () => {
  const rig = await TokenRig.start({ session: () => ({ principal: 'ada' }) });
  const client = await rig.enter(5);

  await rig.clock.advance(5_600);

  expect(await client.closed).toMatchObject({ code: 4401 });
});

it.each([Number.NaN, '2030', null])(
  'refuses the handshake where session gives %o as the end',
  async (end) => {
    const rig = await TokenRig.start({ session: () => ({ principal: 'ada', expiresAt: end as number }) });

    await expect(rig.app.connect('/ws', { token: rig.token(60), protocols: [] })).rejects.toMatchObject({
      statusCode: 500,
    });
  },
);

it('refuses a token that has ended, with 401', async () => {
  const rig = await TokenRig.start();
  const token = rig.token(0);

  const refusal = rig.app.connect('/ws', { token, protocols: [] });

  await expect(refusal).rejects.toBeInstanceOf(HandshakeRefused);
  await expect(refusal).rejects.toMatchObject({ statusCode: 401 });
});

it('closes whoever is past the end when the wall clock is set ahead', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(3_600);

  rig.clock.stepWall(2 * HOUR_MS);
  await rig.clock.advance(500);

  expect(await client.closed).toMatchObject({ code: 4401 });
});

it('waits for the end by the wall clock when that is set back', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);

  rig.clock.stepWall(-HOUR_MS);
  await rig.clock.advance(61_000);
  const after = await isPending(client.closed);
  rig.clock.stepWall(HOUR_MS);
  await rig.clock.advance(500);

  expect(after).toBe(true);
  expect(await client.closed).toMatchObject({ code: 4401 });
});

it('lets somebody go on whose token ends later than a timer can wait', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(2 * LONGEST_TIMER_S);

  await rig.clock.advance(5_000);

  expect(await isPending(client.closed)).toBe(true);
});

it('needs one timer for any number of sessions, and none without them', async () => {
  const rig = await TokenRig.start();
  const before = rig.clock.pendingTimers;
  const clients = [await rig.enter(60), await rig.enter(90), await rig.enter(120)];
  const during = rig.clock.pendingTimers;

  await Promise.all(clients.map((client) => client.close()));
  await rig.clock.advance(0);

  expect([during - before, rig.clock.pendingTimers - before]).toEqual([1, 0]);
});

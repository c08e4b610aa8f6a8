import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';
import { seeded, type FakePeer, type Received } from './fake-server.js';
import type { ChannelsClientOptions } from '../../lib/client/index.js';

/** A client whose sessions end after this long, and what its token function was asked. */
async function open(
  expiresInMs: unknown,
  give: () => unknown = () => 'jwt-2',
  options: ChannelsClientOptions = {},
): Promise<{ rig: ClientRig; asked: boolean[]; refreshes: () => Received[] }> {
  const asked: boolean[] = [];
  const token = ({ refresh }: { readonly refresh: boolean }): string => {
    asked.push(refresh);
    return (asked.length === 1 ? 'jwt-1' : give()) as string;
  };
  const rig = await ClientRig.open({ token, ...options }, ({ server }) => {
    server.onHello = () => ({ data: { ...server.welcome(), expiresInMs } });
  });
  return { rig, asked, refreshes: () => refreshesOf(rig.server.peer) };
}

function refreshesOf({ frames }: FakePeer): Received[] {
  return frames.filter(({ event }) => event === '$refresh');
}

it('brings a new token between 80 and 90 % of the time, and again behind the answer', async () => {
  const { rig, asked, refreshes } = await open(100_000);

  await rig.pass(79_000);
  const early = refreshes().length;
  await rig.pass(12_000);
  const [first] = refreshes();
  rig.server.answer(first, { data: { expiresInMs: 100_000 } });
  await rig.pass(79_000);
  const between = refreshes().length;
  await rig.pass(12_000);

  expect([early, between, refreshes().length]).toEqual([0, 1, 2]);
  expect(first?.data).toEqual({ token: 'jwt-2' });
  expect(asked).toEqual([false, true, true]);
  expect(rig.states.map(({ name }) => name)).toEqual(['connecting', 'open']);
});

it.each([undefined, 0, -1, 'soon', null])('brings none where the server tells %o', async (expiresInMs) => {
  const { rig, refreshes } = await open(expiresInMs);

  await rig.pass(1_000_000);

  expect(refreshes()).toEqual([]);
});

it('brings none where the token is no function', async () => {
  const rig = await ClientRig.open({ token: 'jwt-1' }, ({ server }) => {
    server.onHello = () => ({ data: { ...server.welcome(), expiresInMs: 1_000 } });
  });

  await rig.pass(5_000);

  expect(refreshesOf(rig.server.peer)).toEqual([]);
});

it('tells $error of a token that was refused, stays, and comes back behind 4401', async () => {
  const { rig, asked, refreshes } = await open(10_000);
  await rig.pass(9_100);
  rig.server.answer(refreshes()[0], { error: { code: 'unauthorized', message: 'no', retryable: false } });
  await rig.pass();
  const { name } = rig.client.state;

  rig.server.peer.close(4401);
  await rig.pass(20);

  expect(name).toBe('open');
  expect(rig.errors).toMatchObject([{ code: 'connect_failed' }]);
  expect(rig.states.slice(2).map((state) => `${state.name} ${state.reason}`)).toEqual([
    'connecting token_refused',
    'open welcomed',
  ]);
  expect(asked).toEqual([false, true, true]);
});

it.each([
  ['throws', () => Promise.reject(new Error('mine')), 1],
  ['gives none', () => '', 0],
  ['gives what cannot travel', () => 'a b', 1],
])('stays open where the token function %s', async (_what, give, errors) => {
  const { rig, refreshes } = await open(10_000, give);

  await rig.pass(9_100);

  expect(rig.client.state.name).toBe('open');
  expect(refreshes()).toEqual([]);
  expect(rig.errors).toHaveLength(errors);
});

it('does not bring to a new connection what was asked for on the one before', async () => {
  let give!: (token: string) => void;
  const late = new Promise<string>((resolve) => {
    give = resolve;
  });
  const { rig, refreshes } = await open(10_000, () => late);
  await rig.pass(9_100);

  rig.server.peer.cut();
  await rig.pass(1);
  give('jwt-late');
  await rig.comeBack();

  expect(refreshes()).toEqual([]);
});

const LIMITED = { code: 'rate_limited', message: 'later', retryable: true };

it('tries again after retryAfterMs what was refused for now, with a new token, and says nothing', async () => {
  const { rig, asked, refreshes } = await open(100_000);
  await rig.pass(91_000);

  rig.server.answer(refreshes()[0], { error: { ...LIMITED, retryAfterMs: 3_000 } });
  await rig.pass(2_990);
  const early = refreshes().length;
  await rig.pass(20);
  rig.server.answer(refreshes()[1], { data: { expiresInMs: 100_000 } });
  await rig.pass(79_000);
  const between = refreshes().length;
  await rig.pass(12_000);

  expect([early, between, refreshes().length]).toEqual([1, 2, 3]);
  expect(asked).toEqual([false, true, true, true]);
  expect([rig.errors, rig.client.state.name]).toEqual([[], 'open']);
});

it('waits longer from one refusal without a time to the next', async () => {
  const { rig, refreshes } = await open(100_000, undefined, {
    random: { next: () => 0.5, id: seeded(1).id },
    ...{ minRetryDelayMs: 1_000, maxRetryDelayMs: 3_000 },
  });
  await rig.pass(86_000);

  const waits = [];
  for (let at = 0; at < 4; at++) {
    const count = refreshes().length;
    rig.server.answer(refreshes().at(-1), { error: { ...LIMITED, code: 'unavailable' } });
    let waited = 0;
    for (; refreshes().length === count && waited < 5_000; waited += 100) await rig.pass(100);
    waits.push(waited);
  }

  expect(waits).toEqual([600, 1_100, 1_600, 1_600]);
});

it('tries no more on a connection that has ended', async () => {
  const { rig, refreshes } = await open(100_000);
  await rig.pass(91_000);
  rig.server.answer(refreshes()[0], { error: { ...LIMITED, retryAfterMs: 3_000 } });
  await rig.pass(10);

  await rig.reconnect();
  await rig.pass(10_000);

  expect([rig.client.state.name, refreshes().length]).toEqual(['open', 0]);
});

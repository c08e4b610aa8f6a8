import { expect, it } from 'vitest';
import { ClientRig, watched } from './client-rig.js';
import type { Answer } from './fake-server.js';

const LIST = { members: [{ principal: 'ada', connections: 1 }], count: 1, more: false };

const commands = (rig: ClientRig): string[] =>
  rig.server.frames.filter(({ event }) => event !== '$hello' && event !== '$pong').map(({ event }) => event);

/** A client in a channel, whose server answers `$presence` so; `undefined` leaves it without an answer. */
async function start(answer: () => Answer | undefined = () => ({ data: LIST })): Promise<ClientRig> {
  const rig = await ClientRig.open();
  rig.server.onMessage = ({ event }) => (event === '$presence' ? answer() : undefined);
  rig.client.channel('hall').on('message', () => undefined);
  await rig.pass();
  return rig;
}

it('tells who is there', async () => {
  const rig = await start();

  const outcome = watched(rig.client.channel('hall').presence());
  await rig.pass();

  expect(outcome).toEqual({ state: 'resolved', value: LIST });
  expect(rig.server.frames.at(-1)).toMatchObject({ event: '$presence', data: { channel: 'hall' } });
});

it('tells who comes and goes, to listeners that join nothing', async () => {
  const rig = await ClientRig.open();
  const hall = rig.client.channel('hall');
  const told: unknown[] = [];
  hall.on('$join', ({ principal, connections }) => told.push(['join', principal, connections]));
  hall.on('$leave', ({ principal, connections }) => told.push(['leave', principal, connections]));
  await rig.pass();
  const before = commands(rig);
  hall.on('message', () => undefined);
  await rig.pass();

  rig.server.publish('hall', '$join', { principal: 'bob', connections: 1 });
  rig.server.publish('hall', '$leave', { principal: 'bob', connections: 0 });
  await rig.pass();

  expect(before).toEqual([]);
  expect(told).toEqual([
    ['join', 'bob', 1],
    ['leave', 'bob', 0],
  ]);
});

it('gives nothing of it to a loop, which is for publications', async () => {
  const rig = await start();
  const loop = rig.client.channel('hall')[Symbol.asyncIterator]();
  const next = loop.next();

  rig.server.publish('hall', '$join', { principal: 'bob', connections: 1 });
  rig.server.publish('hall', 'message', 'hi');
  await rig.pass();

  expect(await next).toMatchObject({ value: { event: 'message' } });
});

it('asks once for all who ask at a time, and again for who asks later', async () => {
  const rig = await start();
  const hall = rig.client.channel('hall');

  const outcomes = [watched(hall.presence()), watched(hall.presence())];
  await rig.pass(1);
  outcomes.push(watched(hall.presence()));
  await rig.pass();
  const asked = commands(rig);
  outcomes.push(watched(hall.presence()));
  await rig.pass();

  expect(outcomes.map(({ state }) => state)).toEqual(Array(4).fill('resolved'));
  expect([asked, commands(rig)]).toEqual([
    ['$subscribe', '$presence'],
    ['$subscribe', '$presence', '$presence'],
  ]);
});

it('joins for as long as the answer takes, where nobody has', async () => {
  const rig = await ClientRig.open();
  rig.server.onMessage = () => ({ data: LIST });

  const outcome = watched(rig.client.channel('hall').presence());
  await rig.pass(20);

  expect(outcome.state).toBe('resolved');
  expect(commands(rig)).toEqual(['$subscribe', '$presence', '$unsubscribe']);
});

it('waits while the client is offline, and asks again what had no answer', async () => {
  const rig = await start(() => undefined);
  const outcome = watched(rig.client.channel('hall').presence());
  await rig.pass();
  rig.server.onMessage = () => ({ data: LIST });

  await rig.reconnect();
  await rig.pass(20);

  expect(outcome).toEqual({ state: 'resolved', value: LIST });
  expect(commands(rig)).toEqual(['$subscribe', '$presence', '$subscribe', '$presence']);
});

it('takes no answer from before a leave for one from behind the next join', async () => {
  const rig = await start(() => undefined);
  const hall = rig.client.channel('hall');
  const first = watched(hall.presence());
  await rig.pass();
  const old = rig.server.frames.at(-1);

  rig.server.onUnsubscribe = () => undefined;
  hall.unsubscribe();
  await rig.pass();
  const second = watched(hall.presence());
  rig.server.answer(old, { data: { members: [], count: 0, more: false } });
  await rig.pass();

  expect(first).toMatchObject({ state: 'rejected', error: { code: 'not_subscribed' } });
  expect(second.state).toBe('pending');
});

it.each([
  ['of the list', { error: { code: 'bad_request', message: 'no', retryable: false } }, 'bad_request'],
  [
    'that may be another next time',
    { error: { code: 'unavailable', message: 'no', retryable: true } },
    'unavailable',
  ],
])('rejects with a refusal %s', async (_what, answer, code) => {
  const rig = await start(() => answer);

  const outcome = watched(rig.client.channel('hall').presence());
  await rig.pass();

  expect(outcome).toMatchObject({ state: 'rejected', error: { code } });
});

it('rejects where the channel is refused, is left, or the client is closed', async () => {
  const rig = await ClientRig.open();
  rig.server.onSubscribe = ({ channel }) =>
    channel === 'hall' ? { error: { code: 'forbidden', message: 'no', retryable: false } } : undefined;
  const refused = watched(rig.client.channel('hall').presence());
  const left = watched(rig.client.channel('left').presence());
  const open = watched(rig.client.channel('open').presence());
  await rig.pass();

  rig.client.channel('left').unsubscribe();
  rig.client.close();
  await rig.pass();

  expect([refused, left, open].map(({ error }) => error?.code)).toEqual([
    'forbidden',
    'not_subscribed',
    'closed',
  ]);
  const late = watched(rig.client.channel('open').presence());
  await rig.pass();
  expect(late).toMatchObject({ state: 'rejected', error: { code: 'closed' } });
});

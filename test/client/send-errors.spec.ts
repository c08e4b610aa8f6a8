import { expect, it } from 'vitest';
import { ChannelsClientError } from '../../lib/client/index.js';
import { ClientRig } from './client-rig.js';

const LATER = { code: 'rate_limited', message: 'too much', retryable: true };
const FINAL = { code: 'bad_request', message: 'no', retryable: false, details: { field: 'text' } };

it('rejects with the final error of the server', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.onMessage = () => ({ error: FINAL })));

  const sent = rig.send('greet');
  await rig.pass();

  expect(sent.error).toBeInstanceOf(ChannelsClientError);
  expect(sent.error).toMatchObject({ code: 'bad_request', message: 'no', details: { field: 'text' } });
});

it('takes an error that it cannot read for a failure of the server', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.onMessage = () => ({ error: ['?'] })));

  const sent = rig.send('greet');
  await rig.pass();

  expect(sent.error).toMatchObject({ code: 'internal' });
});

it('goes by retryable where it does not know the code', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('greet');
  await rig.pass();

  rig.server.answer(rig.server.messages[0], { error: { ...LATER, code: 'novel', retryAfterMs: 100 } });
  await rig.pass(200);

  expect(sent.state).toBe('pending');
  expect(rig.server.messages).toHaveLength(2);
});

it('sends again with the same id after the time that the server names', async () => {
  const rig = await ClientRig.open();
  rig.send('greet', 1);
  await rig.pass();

  rig.server.answer(rig.server.messages[0], { error: { ...LATER, retryAfterMs: 1_000 } });
  await rig.pass(1_000);
  const early = rig.server.messages.length;
  await rig.pass(3);

  expect(early).toBe(1);
  expect(rig.server.messages[1]).toEqual(rig.server.messages[0]);
});

it('does not wait for a time when it could not be sent any more', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['dedupWindowMs'] = 300_000));
  const [early, late] = [rig.send('mail', 1), rig.send('post', 2)];
  await rig.pass();

  rig.server.answer(rig.server.messages[0], { error: { ...LATER, retryAfterMs: 269_000 } });
  rig.server.answer(rig.server.messages[1], { error: { ...LATER, retryAfterMs: 271_000 } });
  await rig.pass();

  expect(early.state).toBe('pending');
  expect(late.error).toMatchObject({ code: 'rate_limited', message: 'too much' });
});

it('waits a day at most, whatever the server names', async () => {
  const rig = await ClientRig.open();
  rig.send('greet');
  await rig.pass();

  rig.server.heartbeat = undefined;
  rig.server.answer(rig.server.messages[0], { error: { ...LATER, retryAfterMs: 1e12 } });
  await rig.pass(86_400_010);

  expect(rig.server.messages).toHaveLength(2);
});

it.each([
  [0, 0],
  [0.999, 499.5],
])('draws the wait from the backoff where the server names none (chance %d)', async (chance, waitMs) => {
  const random = { next: () => chance, id: counter() };
  const rig = await ClientRig.open({ random });
  rig.send('greet');
  await rig.pass();

  rig.server.answer(rig.server.messages[0], { error: LATER });
  await rig.pass(1 + waitMs);
  const early = rig.server.messages.length;
  await rig.pass(2);

  expect([early, rig.server.messages.length]).toEqual([1, 2]);
});

it('doubles the longest wait with each retryable error of the message', async () => {
  const rig = await ClientRig.open({ random: { next: () => 0.999_999, id: counter() } });
  rig.server.onMessage = () => ({ error: LATER });
  const at: number[] = [];
  rig.server.onMessage = () => (at.push(rig.clock.now()), { error: LATER });

  rig.send('greet');
  await rig.pass(4_000);

  const waits = at.slice(1).map((time, index) => Math.round((time - (at[index] ?? 0)) / 100) * 100);
  expect(waits).toEqual([500, 1_000, 2_000]);
});

it('lets other messages pass one that waits to be tried again', async () => {
  const rig = await ClientRig.open();
  rig.send('a');
  await rig.pass();
  rig.server.answer(rig.server.messages[0], { error: { ...LATER, retryAfterMs: 1_000 } });
  await rig.pass();

  rig.send('b');
  await rig.pass(1_010);

  expect(rig.server.messages.map(({ event }) => event)).toEqual(['a', 'b', 'a']);
});

it('does not shorten the wait of a message by a reconnect', async () => {
  const rig = await ClientRig.open();
  rig.send('a');
  await rig.pass();
  rig.server.answer(rig.server.messages[0], { error: { ...LATER, retryAfterMs: 60_000 } });
  await rig.pass();

  await rig.reconnect();
  const early = rig.server.peer.messages.length;
  await rig.pass(60_000);

  expect([early, rig.server.peer.messages.length]).toEqual([0, 1]);
});

it('frees its place for another while it waits to be tried again', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxInFlight'] = 1));
  rig.send('a');
  rig.send('b');
  await rig.pass();

  rig.server.answer(rig.server.messages[0], { error: { ...LATER, retryAfterMs: 1_000 } });
  await rig.pass();

  expect(rig.server.messages.map(({ event }) => event)).toEqual(['a', 'b']);
});

it('hands the items of a stream to onItem, and resolves at its end', async () => {
  const rig = await ClientRig.open();
  const items: unknown[] = [];
  const sent = rig.send('count', undefined, { onItem: (item) => items.push(item) });
  await rig.pass();
  const id = rig.server.messages[0]?.id;

  for (const data of [1, 2]) rig.server.peer.send({ ack: id, data, more: true });
  await rig.pass();
  const before = sent.state;
  rig.server.peer.send({ ack: id });
  await rig.pass();

  expect([before, sent.state, items]).toEqual(['pending', 'resolved', [1, 2]]);
});

it('begins a stream again after a reconnect', async () => {
  const rig = await ClientRig.open();
  const items: unknown[] = [];
  rig.send('count', undefined, { onItem: (item) => items.push(item) });
  await rig.pass();
  rig.server.peer.send({ ack: rig.server.messages[0]?.id, data: 1, more: true });
  await rig.pass();

  await rig.reconnect();
  rig.server.peer.send({ ack: rig.server.messages[0]?.id, data: 1, more: true });
  await rig.pass();

  expect(items).toEqual([1, 1]);
});

it('tells $error what onItem threw, and keeps the message', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('count', undefined, {
    onItem: () => {
      throw new Error('mine');
    },
  });
  await rig.pass();
  const id = rig.server.messages[0]?.id;

  rig.server.peer.send({ ack: id, data: 1, more: true });
  rig.server.peer.send({ ack: id, data: 'end' });
  await rig.pass();

  expect(rig.errors).toMatchObject([{ code: 'listener_failed', cause: { message: 'mine' } }]);
  expect(sent.value).toBe('end');
});

it('drops the items of a stream without onItem', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('count');
  await rig.pass();

  rig.server.peer.send({ ack: rig.server.messages[0]?.id, data: 1, more: true });
  await rig.pass();

  expect(sent.state).toBe('pending');
  expect(rig.errors).toEqual([]);
});

function counter(): () => string {
  let count = 0;
  return () => `id-${++count}`.padEnd(22, 'x');
}

it('holds those back that are sent later, while one of the same event waits that was rate_limited', async () => {
  const rig = await ClientRig.open();
  rig.send('greet', 1);
  await rig.pass();
  rig.server.answer(rig.server.messages[0], { error: { ...LATER, retryAfterMs: 1_000 } });
  await rig.pass();

  rig.send('greet', 2);
  rig.send('other', 3);
  await rig.pass(500);
  const early = rig.server.messages.map(({ data }) => data);
  await rig.pass(600);

  expect(early).toEqual([1, 3]);
  expect(rig.server.messages.map(({ data }) => data)).toEqual([1, 3, 1, 2]);
});

it('holds nobody back for another error', async () => {
  const rig = await ClientRig.open();
  rig.send('greet', 1);
  await rig.pass();
  const error = { ...LATER, code: 'unavailable', retryAfterMs: 1_000 };
  rig.server.answer(rig.server.messages[0], { error });
  await rig.pass();

  rig.send('greet', 2);
  await rig.pass(100);

  expect(rig.server.messages.map(({ data }) => data)).toEqual([1, 2]);
});

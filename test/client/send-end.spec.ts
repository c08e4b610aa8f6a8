import { expect, it, vi } from 'vitest';
import { ClientRig } from './client-rig.js';

const STOP = new Error('stop');

it('rejects with timeout when there is no answer in time', async () => {
  const rig = await ClientRig.open();

  const sent = rig.send('greet', 1, { timeoutMs: 1_000 });
  await rig.pass(999);
  const before = sent.state;
  await rig.pass(1);

  expect([before, sent.error?.code]).toEqual(['pending', 'timeout']);
});

it('counts the wait offline into the timeout, and never sends it then', async () => {
  const rig = new ClientRig();
  rig.server.reception = 'refuse';

  const sent = rig.send('greet', 1, { timeoutMs: 1_000 });
  await rig.pass(1_000);
  rig.server.reception = 'accept';
  await rig.pass(60_000);

  expect(sent.error?.code).toBe('timeout');
  expect(rig.server.messages).toEqual([]);
});

it('drops the ack of a message that has timed out', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('greet', 1, { timeoutMs: 1_000 });
  await rig.pass(1_000);

  rig.server.answer(rig.server.messages[0], { data: 'late' });
  await rig.pass();

  expect(sent.error?.code).toBe('timeout');
  expect(rig.errors).toEqual([]);
});

it('ends the tries of a retryable error with its timeout', async () => {
  const rig = await ClientRig.open();
  const error = { code: 'unavailable', message: '', retryable: true, retryAfterMs: 300 };
  rig.server.onMessage = () => ({ error });

  const sent = rig.send('greet', 1, { timeoutMs: 1_000 });
  await rig.pass(10_000);

  expect(sent.error?.code).toBe('timeout');
  expect(rig.server.messages).toHaveLength(4);
});

it('leaves no timer of a message behind that is answered', async () => {
  const rig = await ClientRig.open();
  const timers = rig.clock.pendingTimers;
  rig.send('greet', 1, { timeoutMs: 100_000 });
  await rig.pass();

  rig.server.answer(rig.server.messages[0]);
  await rig.pass();

  expect(rig.clock.pendingTimers).toBeLessThanOrEqual(timers);
});

it('takes a timeout that is longer than timers can be', async () => {
  const rig = await ClientRig.open();

  const sent = rig.send('greet', 1, { timeoutMs: Infinity });
  await rig.pass(1_000);

  expect(sent.state).toBe('pending');
});

it('rejects with the reason of a signal that has aborted before', async () => {
  const rig = await ClientRig.open();

  const sent = rig.send('greet', 1, { signal: AbortSignal.abort(STOP) });
  await rig.pass();

  expect(sent.error).toBe(STOP);
  expect(rig.server.messages).toEqual([]);
});

it('never sends what is aborted while it waits', async () => {
  const rig = new ClientRig();
  rig.server.reception = 'refuse';
  const controller = new AbortController();
  const sent = rig.send('greet', 1, { signal: controller.signal });
  await rig.pass(100);

  controller.abort(STOP);
  rig.server.reception = 'accept';
  await rig.pass(60_000);

  expect(sent.error).toBe(STOP);
  expect(rig.server.messages).toEqual([]);
});

it('rejects what is aborted in flight, and makes room for the next', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxInFlight'] = 1));
  const controller = new AbortController();
  const sent = rig.send('a', 1, { signal: controller.signal });
  rig.send('b');
  await rig.pass();

  controller.abort(STOP);
  await rig.pass();

  expect(sent.error).toBe(STOP);
  expect(rig.server.messages.map(({ event }) => event)).toEqual(['a', 'b']);
});

it('is not moved by an abort after the answer', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.onMessage = () => ({ data: 'done' })));
  const controller = new AbortController();
  const sent = rig.send('greet', 1, { signal: controller.signal });
  await rig.pass();

  controller.abort(STOP);
  await rig.pass();

  expect(sent).toEqual({ state: 'resolved', value: 'done' });
});

it.each(['answered', 'rejected', 'timed out', 'aborted', 'closed'])(
  'listens to the signal no more when it is %s',
  async (how) => {
    const rig = await ClientRig.open();
    const controller = new AbortController();
    const { signal } = controller;
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    rig.send('greet', 1, { signal, timeoutMs: 500 });
    await rig.pass();

    const error = { code: 'forbidden', message: '', retryable: false };
    if (how === 'answered') rig.server.answer(rig.server.messages[0]);
    if (how === 'rejected') rig.server.answer(rig.server.messages[0], { error });
    if (how === 'timed out') await rig.pass(500);
    if (how === 'aborted') controller.abort(STOP);
    if (how === 'closed') rig.client.close();
    await rig.pass();

    expect(added).toHaveBeenCalledOnce();
    expect(removed.mock.calls.map(([, listener]) => listener)).toContain(added.mock.calls[0]?.[1]);
  },
);

it('settles everything that one signal ends', async () => {
  const rig = await ClientRig.open();
  const controller = new AbortController();
  const sent = ['a', 'b', 'c'].map((event) => rig.send(event, 1, { signal: controller.signal }));
  await rig.pass();

  controller.abort(STOP);
  await rig.pass();

  expect(sent.map(({ error }) => error)).toEqual([STOP, STOP, STOP]);
});

it('rejects what waits with closed when close() is called', async () => {
  const rig = await ClientRig.open();
  const inFlight = rig.send('a');
  await rig.pass();
  rig.server.peer.cut();
  await rig.pass(2);
  const waiting = rig.send('b');

  rig.client.close();
  await rig.pass();

  expect([inFlight.error?.code, waiting.error?.code]).toEqual(['closed', 'closed']);
});

it('rejects at once with closed, and with the close code, when the client is closed', async () => {
  const rig = await ClientRig.open();
  rig.server.peer.close(4503);
  await rig.pass();

  const sent = rig.send('a');
  await rig.pass(0);

  expect(sent.error).toMatchObject({ code: 'closed', closeCode: 4503 });
});

it('sends again after connect() has come back from closed', async () => {
  const rig = await ClientRig.open();
  rig.client.close();
  await rig.pass();

  rig.client.connect();
  const sent = rig.send('a');
  await rig.pass(10);

  expect(sent.state).toBe('pending');
  expect(rig.server.peer.messages).toHaveLength(1);
});

it('says goodbye with 1000', async () => {
  const rig = await ClientRig.open();

  rig.client.close();
  rig.client.close();
  await rig.pass();

  expect(rig.server.peer.closedBy?.code).toBe(1000);
  expect(rig.states.filter(({ name }) => name === 'closed')).toEqual([
    { name: 'closed', reason: 'close_called' },
  ]);
});

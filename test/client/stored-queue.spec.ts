import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';
import { MemoryQueueStorage } from './memory-queue-storage.js';
import { Pages } from './stored-pages.js';

it('sends again what was in flight, with the same id and identity, and tells the answer', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('order', { item: 1 });
  await first.end();

  const next = await pages.connected();
  const [frame] = next.rig.server.messages;
  next.rig.server.answer(frame, { data: 'sold' });
  await next.rig.pass();

  expect(frame).toEqual(first.rig.server.messages[0]);
  expect(next.clientId).toBe(first.clientId);
  expect(next.settled).toEqual([{ id: frame?.id, event: 'order', data: { item: 1 }, answer: 'sold' }]);
  expect(pages.slots.size).toBe(0);
});

it('sends what a former page has left before its own, also what it has queued before that was known', async () => {
  const pages = new Pages();
  const first = pages.open();
  first.rig.server.reception = 'refuse';
  for (const event of ['a', 'b', 'c']) first.rig.send(event);
  await first.end();

  const next = pages.open();
  next.rig.send('d');
  await next.rig.pass(10);
  next.rig.send('e');
  await next.rig.pass();

  expect(next.sent).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(pages.slots.size).toBe(5);
});

it('keeps the order over several pages', async () => {
  const pages = new Pages();
  for (const event of ['a', 'b', 'c']) {
    const page = pages.open();
    page.rig.server.reception = 'refuse';
    page.rig.send(event);
    await page.end();
  }

  const last = await pages.connected();

  expect(last.sent).toEqual(['a', 'b', 'c']);
});

it('takes a new identity where nothing was left', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a');
  await first.rig.pass();
  first.rig.server.answer(first.rig.server.messages[0]);
  await first.end();

  const next = await pages.connected();

  expect(next.clientId).not.toBe(first.clientId);
  expect(next.sent).toEqual([]);
});

it('rejects what somebody else has left, and keeps what was queued in this page', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('secret');
  await first.end();

  const next = pages.open();
  next.rig.server.principal = 'bob';
  next.rig.send('mine');
  await next.rig.pass(10);

  expect(next.settled).toMatchObject([{ event: 'secret', error: { code: 'principal_changed' } }]);
  expect(next.sent).toEqual(['mine']);
  expect(pages.slots.size).toBe(1);
});

it('gives what was queued before any welcome to whoever is welcomed next', async () => {
  const pages = new Pages();
  const first = pages.open();
  first.rig.server.reception = 'refuse';
  first.rig.send('a');
  await first.end();

  const next = pages.open();
  next.rig.server.principal = 'bob';
  await next.rig.connect();
  await next.end();
  const last = await pages.connected();

  expect(next.sent).toEqual(['a']);
  expect(last.settled).toMatchObject([{ event: 'a', error: { code: 'principal_changed' } }]);
});

it.each([
  [269_000, 'pending'],
  [270_001, 'expired'],
])('counts the time without a page for expired: %i ms are %s', async (ms, end) => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a');
  await first.end();

  pages.slots.now += ms;
  const next = await pages.connected();

  expect(next.sent).toEqual(end === 'pending' ? ['a'] : []);
  expect(next.settled.map(({ error }) => error?.code)).toEqual(end === 'pending' ? [] : ['expired']);
});

it('counts from the first time, however often it is sent again', async () => {
  const pages = new Pages();
  for (let page = 0; page < 3; page++) {
    const { rig, end } = await pages
      .connected()
      .then((opened) => ({ rig: opened.rig, end: () => opened.end() }));
    if (page === 0) rig.send('a');
    await end();
    pages.slots.now += 100_000;
  }

  const last = await pages.connected();

  expect(last.settled).toMatchObject([{ error: { code: 'expired' } }]);
});

it('does not let a message expire that was never sent', async () => {
  const pages = new Pages();
  const first = pages.open();
  first.rig.server.reception = 'refuse';
  first.rig.send('a');
  await first.end();

  pages.slots.now += 3_600_000;
  const next = await pages.connected();

  expect(next.sent).toEqual(['a']);
});

it.each([
  [4_000, 'pending'],
  [5_000, 'timeout'],
])('goes on with timeoutMs while there is no page: %i ms are %s', async (ms, end) => {
  const pages = new Pages();
  const first = pages.open();
  first.rig.server.reception = 'refuse';
  first.rig.send('a', 1, { timeoutMs: 5_000 });
  await first.end();

  pages.slots.now += ms;
  const next = await pages.connected();
  const early = next.settled.length;
  await next.rig.pass(1_000);

  expect(early).toBe(end === 'timeout' ? 1 : 0);
  expect(next.settled).toMatchObject([{ event: 'a', data: 1, error: { code: 'timeout' } }]);
  expect(pages.slots.size).toBe(0);
});

it('tells a final error of the server', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a');
  await first.end();
  const next = await pages.connected();

  const error = { code: 'forbidden', message: 'no', retryable: false };
  next.rig.server.answer(next.rig.server.messages[0], { error });
  await next.rig.pass();

  expect(next.settled).toMatchObject([{ event: 'a', error: { code: 'forbidden', message: 'no' } }]);
});

it('tells $error of a failure that nobody listens for', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a');
  await first.end();

  const rig = new ClientRig({ storage: new MemoryQueueStorage(pages.slots) }, 9);
  rig.server.principal = 'bob';
  await rig.connect();

  expect(rig.errors.map(({ code }) => code)).toEqual(['principal_changed']);
});

it('counts what was left as waiting', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a');
  await first.end();
  const next = await pages.connected({ maxQueue: 1 });

  const sent = next.rig.send('b');
  await next.rig.pass();

  expect(sent.error?.code).toBe('queue_full');
});

it.each(['close', 'reset'] as const)('forgets what %s() rejects, what was left included', async (call) => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a');
  await first.end();
  const next = await pages.connected();
  next.rig.send('b');
  await next.rig.pass();

  next.rig.client[call]();
  await next.rig.pass();

  expect(pages.slots.size).toBe(0);
  const code = call === 'close' ? 'closed' : 'principal_changed';
  expect(next.settled).toMatchObject([{ event: 'a', error: { code } }]);
});

it('takes a queue again when it comes back from closed', async () => {
  const pages = new Pages();
  const page = await pages.connected();
  page.rig.client.close();
  await page.rig.pass();
  await page.rig.connect();
  page.rig.send('a');
  await page.end();

  const next = await pages.connected();

  expect(next.sent).toEqual(['a']);
});

it('leaves to the next one what comes when it has closed meanwhile', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a');
  await first.end();

  const hasty = pages.open();
  hasty.rig.client.connect();
  hasty.rig.client.close();
  await hasty.rig.pass(10);
  const next = await pages.connected();

  expect(hasty.settled).toEqual([]);
  expect(next.sent).toEqual(['a']);
});

it('uses what comes when it has closed and connected again meanwhile', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a');
  await first.end();

  const hasty = pages.open();
  hasty.rig.client.connect();
  hasty.rig.client.close();
  hasty.rig.client.connect();
  await hasty.rig.pass(10);

  expect(hasty.sent).toEqual(['a']);
});

it('keeps the new identity with what moves to it (4509)', async () => {
  const pages = new Pages();
  const page = await pages.connected({});
  page.rig.server.limits['maxInFlight'] = 1;
  await page.rig.reconnect();
  page.rig.send('sent');
  page.rig.send('moves');
  await page.rig.pass();
  page.rig.server.peer.close(4509);
  await page.rig.pass(10);
  const { clientId } = page;
  await page.end();

  const next = await pages.connected();

  expect(next.sent).toEqual(['moves']);
  expect(next.clientId).toBe(clientId);
});

it('rejects what is still in the storage where reset() comes before it is restored', async () => {
  const pages = new Pages();
  const first = pages.open();
  first.rig.server.reception = 'refuse';
  first.rig.send('secret');
  await first.end();

  const next = pages.open();
  next.rig.server.principal = 'bob';
  next.rig.client.reset();
  next.rig.send('mine');
  await next.rig.pass(10);

  expect(next.settled).toMatchObject([{ event: 'secret', error: { code: 'principal_changed' } }]);
  expect(next.sent).toEqual(['mine']);
  expect(pages.slots.size).toBe(1);
});

it('keeps a message whose time never ends', async () => {
  const pages = new Pages();
  const first = await pages.connected();
  first.rig.send('a', undefined, { timeoutMs: Infinity });
  await first.end();

  const stored = [...(pages.slots.slots[0]?.records.values() ?? [])];
  const next = await pages.connected();

  expect(JSON.stringify(stored)).not.toMatch(/"leftMs":|^\[\]$/);
  expect(next.sent).toEqual(['a']);
});

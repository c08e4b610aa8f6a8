import { expect, it } from 'vitest';
import type { Channel } from '../../lib/client/index.js';
import { ClientRig, watched, type Outcome } from './client-rig.js';

const FORBIDDEN = { code: 'forbidden', message: 'no', retryable: false };

interface Loop {
  readonly got: unknown[];
  readonly end: Outcome;
}

/** Reads a channel until its loop ends. */
function read(channel: Channel): Loop {
  const got: unknown[] = [];
  const run = async (): Promise<void> => {
    for await (const { data } of channel) got.push(data);
  };
  return { got, end: watched(run()) };
}

async function reading(options = {}): Promise<Loop & { rig: ClientRig; lobby: Channel }> {
  const rig = await ClientRig.open(options);
  const lobby = rig.client.channel('chat:lobby') as Channel;
  const loop = read(lobby);
  await rig.pass();
  return { rig, lobby, ...loop };
}

it('joins, and hands out the publications in order', async () => {
  const { rig, got } = await reading();

  for (const data of [1, 2, 3]) rig.server.publish('chat:lobby', 'message', data);
  await rig.pass();

  expect(got).toEqual([1, 2, 3]);
});

it('leaves when the loop is left', async () => {
  const rig = await ClientRig.open();
  const run = async (): Promise<void> => {
    for await (const publication of rig.client.channel('chat:lobby')) if (publication) break;
  };
  const end = watched(run());
  await rig.pass();

  rig.server.publish('chat:lobby', 'message', 1);
  await rig.pass();

  expect(end.state).toBe('resolved');
  expect(rig.server.peer.of('$unsubscribe')).toHaveLength(1);
});

it('goes on over a reconnect', async () => {
  const { rig, got } = await reading();

  await rig.reconnect();
  rig.server.publish('chat:lobby', 'message', 'after');
  await rig.pass();

  expect(got).toEqual(['after']);
});

it.each([
  [2, false],
  [3, true],
])('lags at most maxBuffered (2) publications behind: %i end it with queue_full: %j', async (lag, isFull) => {
  const rig = await ClientRig.open({ maxBuffered: 2 });
  const loop = rig.client.channel('chat:lobby')[Symbol.asyncIterator]();
  await rig.pass();

  for (let data = 0; data < lag; data++) rig.server.publish('chat:lobby', 'message', data);
  await rig.pass();
  const reads = [loop.next(), loop.next(), loop.next()].map(watched);
  await rig.pass();

  expect(reads.slice(0, 2).map(({ state }) => state)).toEqual(['resolved', 'resolved']);
  expect(reads[2]?.error?.code).toBe(isFull ? 'queue_full' : undefined);
});

it('leaves the channel when a loop was too slow', async () => {
  const rig = await ClientRig.open({ maxBuffered: 1 });
  const loop = rig.client.channel('chat:lobby')[Symbol.asyncIterator]();
  await rig.pass();

  for (const data of [1, 2]) rig.server.publish('chat:lobby', 'message', data);
  await rig.pass();

  expect(loop).toBeDefined();
  expect(rig.server.peer.of('$unsubscribe')).toHaveLength(1);
});

it('tells the error of its end once, and is done then', async () => {
  const rig = await ClientRig.open();
  rig.server.onSubscribe = () => ({ error: FORBIDDEN });
  const loop = rig.client.channel('chat:lobby')[Symbol.asyncIterator]();
  await rig.pass();

  const first = watched(loop.next());
  const second = watched(loop.next());
  await rig.pass();

  expect(first.error).toMatchObject({ code: 'forbidden' });
  expect(second.value).toEqual({ done: true, value: undefined });
});

it('serves several readers in the order in which they came', async () => {
  const rig = await ClientRig.open();
  const loop = rig.client.channel('chat:lobby')[Symbol.asyncIterator]();
  const reads = [loop.next(), loop.next(), loop.next()].map(watched);
  await rig.pass();

  for (const data of [1, 2]) rig.server.publish('chat:lobby', 'message', data);
  await rig.pass();

  expect(reads.map(({ value }) => (value as { value?: { data: unknown } })?.value?.data)).toEqual([
    1,
    2,
    undefined,
  ]);
});

it('ends without an error when close() is called', async () => {
  const { rig, end } = await reading();

  rig.client.close();
  await rig.pass();

  expect(end.state).toBe('resolved');
});

it('ends with closed when the server says stay away', async () => {
  const { rig, end } = await reading();

  rig.server.peer.close(4503);
  await rig.pass();

  expect(end.error).toMatchObject({ code: 'closed', closeCode: 4503 });
});

it('ends without an error with unsubscribe()', async () => {
  const { rig, lobby, end } = await reading();

  lobby.unsubscribe();
  await rig.pass();

  expect(end.state).toBe('resolved');
});

it('ends with the code of the server when the server ends the subscription', async () => {
  const { rig, end } = await reading();

  rig.server.peer.send({ event: '$unsubscribed', data: { channel: 'chat:lobby', code: 'forbidden' } });
  await rig.pass();

  expect(end.error).toMatchObject({ code: 'forbidden' });
});

it('ends at once with closed on a closed client', async () => {
  const rig = await ClientRig.open();
  rig.client.close();

  const { end } = read(rig.client.channel('chat:lobby') as Channel);
  await rig.pass();

  expect(end.error).toMatchObject({ code: 'closed' });
});

it('drops what is buffered when it is returned', async () => {
  const rig = await ClientRig.open();
  const loop = rig.client.channel('chat:lobby')[Symbol.asyncIterator]();
  await rig.pass();
  rig.server.publish('chat:lobby', 'message', 1);
  await rig.pass();

  await loop.return?.();

  await expect(loop.next()).resolves.toEqual({ done: true, value: undefined });
});

it('hands out what came before its end', async () => {
  const rig = await ClientRig.open();
  const loop = rig.client.channel('chat:lobby')[Symbol.asyncIterator]();
  await rig.pass();
  rig.server.publish('chat:lobby', 'message', 'last');
  await rig.pass();

  rig.client.close();

  await expect(loop.next()).resolves.toMatchObject({ value: { data: 'last' } });
  await expect(loop.next()).resolves.toMatchObject({ done: true });
});

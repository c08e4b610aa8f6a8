import { expect, it } from 'vitest';
import type { SubscribedEvent } from '../../lib/client/index.js';
import { ClientRig, watched } from './client-rig.js';

const NOBODY = (): void => undefined;

const commands = (rig: ClientRig): string[] =>
  rig.server.frames
    .filter(({ event }) => event.endsWith('subscribe'))
    .map(({ event, data }) => `${event} ${data.channel as string}`);

it('joins with the first listener and leaves with the last', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');

  const offs = [lobby.on('message', NOBODY), lobby.on('typing', NOBODY)];
  await rig.pass();
  offs[0]?.();
  await rig.pass();
  const before = commands(rig);
  offs[1]?.();
  await rig.pass();

  expect(before).toEqual(['$subscribe chat:lobby']);
  expect(commands(rig)).toEqual(['$subscribe chat:lobby', '$unsubscribe chat:lobby']);
});

it('spares the server a listener that goes and comes again in one turn', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  let off = lobby.on('message', NOBODY);
  await rig.pass();

  for (let turn = 0; turn < 10; turn++) {
    off();
    off = lobby.on('message', NOBODY);
  }
  await rig.pass();

  expect(commands(rig)).toEqual(['$subscribe chat:lobby']);
});

it('spares the server a listener that comes and goes in one turn', async () => {
  const rig = await ClientRig.open();

  rig.client.channel('chat:lobby').on('message', NOBODY)();
  await rig.pass();

  expect(commands(rig)).toEqual([]);
});

it('joins nothing for a listener of what the channel tells about itself', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');

  for (const event of ['$subscribed', '$unsubscribed', '$gap', '$error'] as const) lobby.on(event, NOBODY);
  await rig.pass();

  expect(commands(rig)).toEqual([]);
});

it('shares one subscription between the handles of one name', async () => {
  const rig = await ClientRig.open();
  const got: unknown[] = [];

  const offs = [1, 2].map((handle) =>
    rig.client.channel('chat:lobby').on('message', (data) => got.push([handle, data])),
  );
  await rig.pass();
  rig.server.publish('chat:lobby', 'message', 'hi');
  await rig.pass();
  offs[0]?.();
  await rig.pass();

  expect(got).toEqual([
    [1, 'hi'],
    [2, 'hi'],
  ]);
  expect(commands(rig)).toEqual(['$subscribe chat:lobby']);
});

it('hands a publication with its data to the listeners of its event only', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const got: unknown[] = [];
  lobby.on('message', (data, publication) => got.push([data, publication]));
  lobby.on('typing', () => got.push('typing'));
  await rig.pass();

  rig.server.publish('chat:lobby', 'message', 1);
  await rig.pass();

  expect(got).toEqual([[1, { channel: 'chat:lobby', event: 'message', data: 1 }]]);
});

it('drops publications of channels that it is not in', async () => {
  const rig = await ClientRig.open();
  const got: unknown[] = [];
  rig.client.on('message', (data) => got.push(data));
  rig.client.channel('chat:lobby').on('message', (data) => got.push(data));
  await rig.pass();

  rig.server.publish('chat:other', 'message', 1);
  await rig.pass();

  expect([got, rig.errors]).toEqual([[], []]);
});

it('tells at each join what the method returned', async () => {
  const rig = await ClientRig.open();
  const told: SubscribedEvent[] = [];
  const lobby = rig.client.channel('chat:lobby');
  lobby.on('$subscribed', (event) => told.push(event));
  let joins = 0;
  rig.server.onSubscribe = ({ channel }) => ({ data: { channel, data: ++joins } });

  lobby.on('message', NOBODY);
  await rig.pass();
  await rig.reconnect();

  expect(told).toEqual([
    { data: 1, recovered: false, by: 'client' },
    { data: 2, recovered: false, by: 'client' },
  ]);
});

it('tells a gap before $subscribed when it has joined again', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const told: unknown[] = [];
  lobby.on('$gap', (gap) => told.push(gap));
  lobby.on('$subscribed', () => told.push('subscribed'));
  rig.client.on('$gap', (gap) => told.push(gap));
  lobby.on('message', NOBODY);
  await rig.pass();

  await rig.reconnect();

  const gap = { channel: 'chat:lobby', reason: 'rejoined' };
  expect(told).toEqual(['subscribed', gap, gap, 'subscribed']);
});

it('tells no gap when the server has recovered what was missed', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const told: unknown[] = [];
  lobby.on('$gap', (gap) => told.push(gap));
  lobby.on('$subscribed', ({ recovered }) => told.push(recovered));
  lobby.on('message', NOBODY);
  await rig.pass();
  rig.server.onSubscribe = ({ channel }) => ({ data: { channel, recovered: true } });

  await rig.reconnect();

  expect(told).toEqual([false, true]);
});

it('hands params to the server at every join', async () => {
  const rig = await ClientRig.open();
  const params = { since: 7 };

  rig.client.channel('chat:lobby', { params }).on('message', NOBODY);
  await rig.pass();
  await rig.reconnect();

  expect(
    rig.server.frames.filter(({ event }) => event === '$subscribe').map(({ data }) => data as unknown),
  ).toEqual([
    { channel: 'chat:lobby', params },
    { channel: 'chat:lobby', params },
  ]);
});

it('joins every channel again after a reconnect, and none that was left', async () => {
  const rig = await ClientRig.open();
  const names = Array.from({ length: 200 }, (_, at) => `room:${at}`);
  const offs = names.map((name) => rig.client.channel(name).on('message', NOBODY));
  await rig.pass();
  for (const off of offs.slice(2)) off();
  await rig.pass();

  await rig.reconnect();

  expect(rig.server.peer.of('$subscribe').map(({ data }) => data.channel as string)).toEqual(
    names.slice(0, 2),
  );
});

// Seen from outside: a handle that has been forgotten has left no setting behind.
it('forgets a channel that nobody uses any more, with its settings', async () => {
  const rig = await ClientRig.open();
  rig.client.channel('chat:lobby', { subscribe: false, params: 1 }).on('message', NOBODY)();
  await rig.pass();

  rig.client.channel('chat:lobby').on('message', NOBODY);
  await rig.pass();

  expect(rig.server.peer.of('$subscribe').map(({ data }) => data as unknown)).toEqual([
    { channel: 'chat:lobby' },
  ]);
});

it('leaves nothing of a client that has joined and left many channels', async () => {
  const rig = await ClientRig.open();
  const timers = rig.clock.pendingTimers;

  for (let at = 0; at < 2_000; at++) {
    const room = rig.client.channel(`room:${at}`);
    const off = room.on('message', NOBODY);
    if (at % 100 === 0) await rig.pass();
    off();
  }
  await rig.pass(50);
  await rig.reconnect();

  expect(rig.server.peer.of('$subscribe')).toEqual([]);
  expect(rig.clock.pendingTimers).toBeLessThanOrEqual(timers);
});

it('waits with its joins until it is welcome', async () => {
  const rig = new ClientRig();
  const joined = watched(rig.client.channel('chat:lobby').subscribe());
  rig.server.reception = 'refuse';
  await rig.pass(1_000);

  rig.server.reception = 'accept';
  await rig.pass(60_000);

  expect(joined.state).toBe('resolved');
  expect(commands(rig)).toEqual(['$subscribe chat:lobby']);
});

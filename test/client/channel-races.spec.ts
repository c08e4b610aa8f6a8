import { expect, it } from 'vitest';
import { ClientRig, watched } from './client-rig.js';

const LATER = { code: 'rate_limited', message: 'later', retryable: true, retryAfterMs: 1_000 };
const NOBODY = (): void => undefined;

const commands = (rig: ClientRig): string[] =>
  rig.server.peer.frames.filter(({ event }) => event !== '$hello').map(({ event }) => event);

// The handle of the first listener still knew the record that had gone, and took the new one away with it.
it('keeps a channel when a listener that is long gone is ended once more', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const off = lobby.on('message', NOBODY);
  off();
  await rig.pass();
  const got: unknown[] = [];
  lobby.on('message', (data) => got.push(data));
  await rig.pass();

  off();
  await rig.pass();
  rig.server.publish('chat:lobby', 'message', 'hello');
  await rig.pass();

  expect(got).toEqual(['hello']);
});

// The timer of the record that had gone took the new one away.
it('keeps a channel that was left and joined again while a retry waited', async () => {
  const rig = await ClientRig.open();
  rig.server.onSubscribe = () => ({ error: LATER });
  const lobby = rig.client.channel('chat:lobby');
  const off = lobby.on('message', NOBODY);
  await rig.pass();
  off();
  await rig.pass();
  rig.server.onSubscribe = () => ({ data: { channel: 'chat:lobby' } });
  const got: unknown[] = [];
  lobby.on('message', (data) => got.push(data));

  await rig.pass(2_000);
  rig.server.publish('chat:lobby', 'message', 'hello');
  await rig.pass();

  expect(got).toEqual(['hello']);
});

it('keeps a channel when a loop that is long over is returned once more', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const loop = lobby[Symbol.asyncIterator]();
  await loop.return?.();
  await rig.pass();
  const got: unknown[] = [];
  lobby.on('message', (data) => got.push(data));
  await rig.pass();

  await loop.return?.();
  await rig.pass();
  rig.server.publish('chat:lobby', 'message', 'hello');
  await rig.pass();

  expect(got).toEqual(['hello']);
});

// The `$unsubscribed` of the former subscription was taken for the end of the one that was asked for.
it('stays in a channel when subscribe() has crossed an $unsubscribed of the subscription before', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  await Promise.all([lobby.subscribe(), rig.pass()]);
  rig.server.peer.send({ event: '$unsubscribed', data: { channel: 'chat:lobby' } });
  const again = watched(lobby.subscribe());

  await rig.pass(20);

  expect(again.state).toBe('resolved');
  expect(commands(rig)).toEqual(['$subscribe', '$subscribe']);
});

it('stays in a channel that it has joined anew while the leave before was crossed by $unsubscribed', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const told: unknown[] = [];
  lobby.on('$subscribed', (event) => told.push(event));
  const off = lobby.on('message', NOBODY);
  await rig.pass();
  rig.server.onUnsubscribe = () => ({ error: { code: 'not_subscribed', message: '', retryable: false } });
  rig.server.peer.send({ event: '$unsubscribed', data: { channel: 'chat:lobby' } });
  off();
  await rig.pass(1);

  const again = watched(lobby.subscribe());
  await rig.pass(20);

  expect(again.state).toBe('resolved');
  expect(commands(rig)).toEqual(['$subscribe', '$unsubscribe', '$subscribe']);
  expect(told).toHaveLength(2);
});

it('joins again when a listener comes while the last one is leaving', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const off = lobby.on('message', NOBODY);
  await rig.pass();
  off();
  await rig.pass(1);
  const got: unknown[] = [];

  lobby.on('message', (data) => got.push(data));
  await rig.pass();
  rig.server.publish('chat:lobby', 'message', 'hello');
  await rig.pass();

  expect(commands(rig)).toEqual(['$subscribe', '$unsubscribe', '$subscribe']);
  expect(got).toEqual(['hello']);
});

it('leaves when the last listener goes while it is joining', async () => {
  const rig = await ClientRig.open();
  const off = rig.client.channel('chat:lobby').on('message', NOBODY);
  await rig.pass(1);

  off();
  await rig.pass();

  expect(commands(rig)).toEqual(['$subscribe', '$unsubscribe']);
});

it('rejects subscribe() and leaves when unsubscribe() comes while it is joining', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const joined = watched(lobby.subscribe());
  await rig.pass(1);

  lobby.unsubscribe();
  await rig.pass();

  expect(joined.error).toMatchObject({ code: 'not_subscribed' });
  expect(commands(rig)).toEqual(['$subscribe', '$unsubscribe']);
});

it('hears nothing of a channel that it is leaving', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const got: unknown[] = [];
  lobby.on('message', (data) => got.push(data));
  await rig.pass();

  lobby.unsubscribe();
  lobby.on('$gap', (gap) => got.push(gap));
  rig.server.publish('chat:lobby', 'message', 'late');
  await rig.pass();

  expect(got).toEqual([]);
});

it('leaves again when the server had no time for it', async () => {
  const rig = await ClientRig.open();
  const off = rig.client.channel('chat:lobby').on('message', NOBODY);
  await rig.pass();
  rig.server.onUnsubscribe = () => ({ error: LATER });

  off();
  await rig.pass(500);
  rig.server.onUnsubscribe = ({ channel }) => ({ data: { channel } });
  await rig.pass(5_000);

  expect(commands(rig)).toEqual(['$subscribe', '$unsubscribe', '$unsubscribe']);
});

// The limits of the welcome were looked at only after the channels had been joined.
it('rejects params that are too large for the server, also at the first connection', async () => {
  const rig = new ClientRig();
  rig.server.limits['maxMessageBytes'] = 200;
  const lobby = rig.client.channel('chat:lobby', { params: 'x'.repeat(200) });

  const joined = watched(lobby.subscribe());
  await rig.pass(10);

  expect(joined.error).toMatchObject({ code: 'payload_too_large' });
  expect(commands(rig)).toEqual([]);
});

it('sends one command at a time for a channel', async () => {
  const rig = await ClientRig.open();
  rig.server.onSubscribe = () => undefined;
  const lobby = rig.client.channel('chat:lobby');

  const joins = [lobby.subscribe(), lobby.subscribe()].map(watched);
  lobby.on('message', NOBODY);
  await rig.pass();
  const sent = commands(rig);
  rig.server.answer(rig.server.peer.of('$subscribe')[0], { data: { channel: 'chat:lobby', data: 'state' } });
  await rig.pass();

  expect(sent).toEqual(['$subscribe']);
  expect(joins.map(({ value }) => value)).toEqual(['state', 'state']);
});

it('hands out nothing before the ack to who joins again what it has left', async () => {
  const rig = await ClientRig.open();
  const heard: unknown[] = [];
  const listener = (data: unknown): void => void heard.push(data);
  const channel = rig.client.channel('chat:a');
  // So that it is the same channel for the client all the time.
  channel.on('$gap', listener);
  const stop = channel.on('message', listener);
  await rig.pass();
  stop();
  await rig.pass();

  rig.server.onSubscribe = () => undefined;
  channel.on('message', listener);
  await rig.pass();
  // The server has joined it by itself meanwhile.
  rig.server.publish('chat:a', 'message', 'early');
  await rig.pass();

  expect(heard).toEqual([]);
});

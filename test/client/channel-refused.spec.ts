import { expect, it } from 'vitest';
import { ClientRig, watched } from './client-rig.js';

const NOBODY = (): void => undefined;
const FORBIDDEN = { code: 'forbidden', message: 'members only', retryable: false };
const LATER = { code: 'unavailable', message: 'later', retryable: true, retryAfterMs: 1_000 };

const joins = (rig: ClientRig): number =>
  rig.server.frames.filter(({ event }) => event === '$subscribe').length;

/** A client whose server refuses every channel. */
const refusing = (error: object): Promise<ClientRig> =>
  ClientRig.open({}, ({ server }) => (server.onSubscribe = () => ({ error })));

it('tells the channel that it was refused, and does not try again', async () => {
  const rig = await refusing(FORBIDDEN);
  const lobby = rig.client.channel('chat:lobby');
  const errors: unknown[] = [];
  lobby.on('$error', (error) => errors.push(error));

  lobby.on('message', NOBODY);
  await rig.pass(60_000);
  await rig.reconnect();

  expect(errors).toMatchObject([{ code: 'forbidden', message: 'members only' }]);
  expect(joins(rig)).toBe(1);
});

it('tells the client as well where no call was refused', async () => {
  const rig = await refusing(FORBIDDEN);

  rig.client.channel('chat:lobby').on('message', NOBODY);
  await rig.pass();

  expect(rig.errors).toMatchObject([{ code: 'forbidden' }]);
});

it('rejects subscribe() with the refusal, and tells nobody else', async () => {
  const rig = await refusing(FORBIDDEN);

  const joined = watched(rig.client.channel('chat:lobby').subscribe());
  await rig.pass();

  expect(joined.error).toMatchObject({ code: 'forbidden' });
  expect(rig.errors).toEqual([]);
});

it('forgets the refusal when the channel is left, and tries again for the next listener', async () => {
  const rig = await refusing(FORBIDDEN);
  const lobby = rig.client.channel('chat:lobby');
  lobby.on('message', NOBODY);
  await rig.pass();

  lobby.unsubscribe();
  lobby.on('message', NOBODY);
  await rig.pass();

  expect(joins(rig)).toBe(2);
});

it('tries a refused channel again when subscribe() is called', async () => {
  const rig = await refusing(FORBIDDEN);
  const lobby = rig.client.channel('chat:lobby');
  const got: unknown[] = [];
  lobby.on('message', (data) => got.push(data));
  await rig.pass();
  rig.server.onSubscribe = ({ channel }) => ({ data: { channel, data: 'state' } });

  const joined = watched(lobby.subscribe());
  await rig.pass();
  rig.server.publish('chat:lobby', 'message', 'hi');
  await rig.pass();

  expect([joined.value, got]).toEqual(['state', ['hi']]);
});

it('tries a refused channel again for somebody else', async () => {
  const rig = await refusing(FORBIDDEN);
  rig.client.channel('chat:lobby').on('message', NOBODY);
  await rig.pass();

  rig.server.principal = 'bob';
  await rig.reconnect();

  expect(joins(rig)).toBe(2);
});

it('tries again after a retryable refusal, at the time that the server names', async () => {
  const rig = await refusing(LATER);
  const joined = watched(rig.client.channel('chat:lobby').subscribe());
  await rig.pass(1_000);
  const early = joins(rig);
  rig.server.onSubscribe = ({ channel }) => ({ data: { channel } });

  await rig.pass(10);

  expect([early, joins(rig), joined.state]).toEqual([1, 2, 'resolved']);
  expect(rig.errors).toEqual([]);
});

it('tries again at once on a new connection', async () => {
  const rig = await refusing({ ...LATER, retryAfterMs: 3_600_000 });
  rig.client.channel('chat:lobby').on('message', NOBODY);
  await rig.pass();

  await rig.reconnect();

  expect(joins(rig)).toBe(2);
});

it('does not try again when the last listener has gone meanwhile', async () => {
  const rig = await refusing(LATER);
  const off = rig.client.channel('chat:lobby').on('message', NOBODY);
  await rig.pass();

  off();
  await rig.pass(10_000);

  expect(joins(rig)).toBe(1);
});

it('runs the method again when subscribe() is called on a joined channel', async () => {
  const rig = await ClientRig.open();
  let runs = 0;
  rig.server.onSubscribe = ({ channel }) => ({ data: { channel, data: ++runs } });
  const lobby = rig.client.channel('chat:lobby');

  const first = watched(lobby.subscribe());
  await rig.pass();
  const second = watched(lobby.subscribe());
  await rig.pass();

  expect([first.value, second.value]).toEqual([1, 2]);
});

it('takes a refused repetition for the end of the subscription', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const got: unknown[] = [];
  lobby.on('message', (data) => got.push(data));
  await rig.pass();
  rig.server.onSubscribe = () => ({ error: FORBIDDEN });
  const again = watched(lobby.subscribe());
  await rig.pass();

  rig.server.publish('chat:lobby', 'message', 'late');
  await rig.reconnect();

  expect([again.error?.code, got, joins(rig)]).toEqual(['forbidden', [], 2]);
});

it('hears what is published while it joins again', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const got: unknown[] = [];
  lobby.on('message', (data) => got.push(data));
  await rig.pass();
  rig.server.onSubscribe = () => undefined;
  watched(lobby.subscribe());
  await rig.pass();

  rig.server.publish('chat:lobby', 'message', 'live');
  await rig.pass();

  expect(got).toEqual(['live']);
});

it('stays after subscribe() without a listener, also over a reconnect', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  watched(lobby.subscribe());
  await rig.pass();
  lobby.on('message', NOBODY)();
  await rig.pass();

  await rig.reconnect();

  expect(rig.server.peer.of('$subscribe')).toHaveLength(1);
  expect(rig.server.frames.filter(({ event }) => event === '$unsubscribe')).toEqual([]);
});

it('leaves and forgets its listeners with unsubscribe()', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const got: unknown[] = [];
  lobby.on('message', (data) => got.push(data));
  await rig.pass();

  lobby.unsubscribe();
  await rig.pass();
  watched(lobby.subscribe());
  await rig.pass();
  rig.server.publish('chat:lobby', 'message', 'hi');
  await rig.pass();

  expect(rig.server.peer.of('$unsubscribe')).toHaveLength(1);
  expect(got).toEqual([]);
});

it('ignores unsubscribe() of a channel that it is not in', async () => {
  const rig = await ClientRig.open();

  rig.client.channel('chat:lobby').unsubscribe();
  await rig.pass();

  expect(rig.server.peer.frames).toHaveLength(1);
});

it('rejects subscribe() with closed when the client closes, and when it is closed', async () => {
  const rig = await ClientRig.open();
  rig.server.onSubscribe = () => undefined;
  const lobby = rig.client.channel('chat:lobby');
  const before = watched(lobby.subscribe());
  await rig.pass();

  rig.client.close();
  const after = watched(lobby.subscribe());
  await rig.pass();

  expect([before.error?.code, after.error?.code]).toEqual(['closed', 'closed']);
});

import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';

const names = (frames: readonly { event: string }[]): string[] => frames.map(({ event }) => event);

it('resolves with what the handler returned', async () => {
  const rig = await ClientRig.open({}, ({ server }) => {
    server.onMessage = ({ data }) => ({ data: { got: data } });
  });

  const sent = rig.send('greet', 'hello');
  await rig.pass();

  expect(sent).toEqual({ state: 'resolved', value: { got: 'hello' } });
});

it('connects by itself with the first message', async () => {
  const rig = new ClientRig();

  rig.send('greet');
  await rig.pass(10);

  expect(names(rig.server.frames)).toEqual(['$hello', 'greet']);
});

it('writes nothing but $hello before the welcome', async () => {
  const rig = new ClientRig();
  rig.server.onHello = () => undefined;

  rig.send('greet');
  rig.client.channel('chat:lobby').on('message', () => undefined);
  await rig.pass(1_000);

  expect(names(rig.server.frames)).toEqual(['$hello']);
});

it('keeps the order of the calls', async () => {
  const rig = new ClientRig();

  for (const event of ['a', 'b', 'c']) rig.send(event);
  await rig.pass(10);
  rig.send('d');
  await rig.pass();

  expect(names(rig.server.messages)).toEqual(['a', 'b', 'c', 'd']);
});

it('joins channels before it sends what waited', async () => {
  const rig = new ClientRig();

  rig.send('greet');
  rig.client.channel('chat:lobby').on('message', () => undefined);
  await rig.pass(10);

  expect(names(rig.server.frames)).toEqual(['$hello', '$subscribe', 'greet']);
});

it('sends again after a reconnect, in order and with the same ids', async () => {
  const rig = await ClientRig.open();
  for (const event of ['a', 'b', 'c']) rig.send(event);
  await rig.pass();
  const before = rig.server.peer.messages;
  rig.server.answer(before[1]);
  await rig.pass();

  await rig.reconnect();

  expect(rig.server.peers).toHaveLength(2);
  expect(rig.server.peer.messages).toEqual([before[0], before[2]]);
});

it('sends what was said during the wait behind what had no ack', async () => {
  const rig = await ClientRig.open();
  rig.send('a');
  await rig.pass();
  rig.server.peer.cut();
  await rig.pass(2);

  rig.send('b');
  await rig.comeBack();

  expect(names(rig.server.peer.messages)).toEqual(['a', 'b']);
});

it('has no more in flight than the server takes', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxInFlight'] = 2));

  for (const event of ['a', 'b', 'c', 'd']) rig.send(event);
  await rig.pass();

  expect(names(rig.server.messages)).toEqual(['a', 'b']);
});

it('sends the next one when one of those in flight is answered', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxInFlight'] = 2));
  for (const event of ['a', 'b', 'c', 'd']) rig.send(event);
  await rig.pass();

  rig.server.answer(rig.server.messages[1]);
  await rig.pass();

  expect(names(rig.server.messages)).toEqual(['a', 'b', 'c']);
});

it('holds nothing back from a server that does not say how many it takes', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits = {}));

  for (let at = 0; at < 65; at++) rig.send(`m${at}`);
  await rig.pass();

  expect(rig.server.messages).toHaveLength(65);
});

it('draws another id for each message', async () => {
  const rig = await ClientRig.open();

  for (let at = 0; at < 50; at++) rig.send('same');
  await rig.pass();

  expect(new Set(rig.server.frames.map(({ id }) => id)).size).toBe(51);
});

it('sends the data as it was when send was called', async () => {
  const rig = new ClientRig();
  const data = { text: 'before' };

  rig.send('greet', data);
  data.text = 'after';
  await rig.pass(10);

  expect(rig.server.messages[0]?.data).toEqual({ text: 'before' });
});

it('leaves undefined data out', async () => {
  const rig = await ClientRig.open();

  rig.send('greet', undefined);
  await rig.pass();

  expect(rig.server.messages[0]).toEqual({ event: 'greet', id: expect.any(String) });
});

it('ignores an ack of nothing that is known', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('greet');
  await rig.pass();

  rig.server.peer.send({ ack: 'nobody', data: 1 });
  await rig.pass();

  expect(sent.state).toBe('pending');
  expect(rig.errors).toEqual([]);
});

it('settles with the first of two acks', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('greet');
  await rig.pass();

  rig.server.answer(rig.server.messages[0], { data: 1 });
  rig.server.answer(rig.server.messages[0], { error: { code: 'internal', message: '', retryable: false } });
  await rig.pass();

  expect(sent).toEqual({ state: 'resolved', value: 1 });
});

it('ignores an answer that came on the connection before', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('greet');
  await rig.pass();
  const first = rig.server.peer;

  first.close(1012);
  await rig.pass(2);
  first.send({ ack: first.messages[0]?.id, data: 'late' });
  await rig.pass(1);

  expect(sent.state).toBe('pending');
});

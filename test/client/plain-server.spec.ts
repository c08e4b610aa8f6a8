import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';

const plain = { server: 'plain' } as const;

it('offers no subprotocol and says no $hello', async () => {
  const rig = await ClientRig.open(plain);

  expect(rig.client.state.name).toBe('open');
  expect(rig.server.peer.protocols).toEqual([]);
  expect(rig.server.frames).toEqual([]);
});

it('resolves when the frame is written, which has no id', async () => {
  const rig = await ClientRig.open(plain);

  const sent = rig.send('greet', 1);
  await rig.pass();

  expect(sent).toEqual({ state: 'resolved', value: undefined });
  expect(rig.server.frames).toEqual([{ event: 'greet', data: 1 }]);
});

it('keeps what is sent offline, in order', async () => {
  const rig = new ClientRig(plain);
  rig.server.reception = 'refuse';
  const sent = ['a', 'b'].map((event) => rig.send(event));
  await rig.pass(1_000);
  const before = sent.map(({ state }) => state);

  rig.server.reception = 'accept';
  await rig.pass(60_000);

  expect(before).toEqual(['pending', 'pending']);
  expect(rig.server.frames).toEqual([{ event: 'a' }, { event: 'b' }]);
});

it('says nothing of its own, however long it is quiet', async () => {
  const rig = await ClientRig.open(plain);

  await rig.pass(600_000);
  rig.client.connect();
  await rig.pass(60_000);

  expect(rig.server.frames).toEqual([]);
  expect(rig.client.state.name).toBe('open');
});

it('hands an event that has a channel field to the application', async () => {
  const rig = await ClientRig.open(plain);
  const got: unknown[] = [];
  rig.client.on('news', (data) => got.push(data));

  rig.server.peer.send({ event: 'news', channel: 'mine', data: 1 });
  await rig.pass();

  expect(got).toEqual([1]);
});

it('says that it has no channels', () => {
  const rig = new ClientRig(plain);

  expect(() => rig.client.channel('chat:lobby')).toThrow(/plain server has no channels/);
});

it('refuses a token, and says what to do', () => {
  expect(() => new ClientRig({ ...plain, token: 'jwt' })).toThrow(/plain.*no token.*cookie/);
});

it('sends more than 64 at once: nothing acks them', async () => {
  const rig = await ClientRig.open(plain);

  const sent = Array.from({ length: 200 }, (_, at) => rig.send('m', at));
  await rig.pass();

  expect(sent.every(({ state }) => state === 'resolved')).toBe(true);
  expect(rig.server.frames.map(({ data }) => data as number)).toEqual(
    Array.from({ length: 200 }, (_, at) => at),
  );
});

it('keeps what the socket is too far behind for, and sends it once the backlog is gone', async () => {
  const rig = await ClientRig.open({ ...plain, maxQueueBytes: 1_000 });
  rig.server.peer.backlog(1_001);

  const sent = rig.send('m');
  await rig.pass(5_000);
  const before = sent.state;
  rig.server.peer.backlog(0);
  await rig.pass(1_100);

  expect([before, sent.state]).toEqual(['pending', 'resolved']);
});

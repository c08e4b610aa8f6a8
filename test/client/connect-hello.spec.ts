import { expect, it, vi } from 'vitest';
import { JSON_SUBPROTOCOL } from '../../lib/protocol/index.js';
import { ClientRig } from './client-rig.js';
import { seeded } from './fake-server.js';

it('opens nothing until something needs the server', async () => {
  const rig = new ClientRig();

  rig.client.on('$gap', () => undefined);
  rig.client.channel('chat:lobby');
  await rig.pass(10_000);

  expect(rig.server.attempts).toEqual([]);
  expect(rig.client.state).toEqual({ name: 'idle', reason: 'created' });
});

it('connects when somebody listens to an event', async () => {
  const rig = new ClientRig();
  const got: unknown[] = [];

  rig.client.on('notice', (data) => got.push(data));
  await rig.pass(10);
  rig.server.peer.send({ event: 'notice', data: 'hi' });
  await rig.pass();

  expect(got).toEqual(['hi']);
});

it('says who it is and asks for a heartbeat', async () => {
  const rig = await ClientRig.open();

  expect(rig.server.peer.protocols).toEqual([JSON_SUBPROTOCOL]);
  expect(rig.server.frames).toEqual([
    {
      event: '$hello',
      id: expect.any(String),
      data: { clientId: expect.stringMatching(/^[\w-]{22,64}$/), heartbeat: true },
    },
  ]);
});

it('names the option for plain servers when $hello stays unanswered for 5 s', async () => {
  const rig = new ClientRig();
  rig.server.onHello = () => undefined;
  rig.client.connect();

  await rig.pass(5_000);
  const before = rig.errors.length;
  await rig.pass(1);

  expect(before).toBe(0);
  expect(rig.errors.map(({ message }) => message)).toEqual([expect.stringContaining("{ server: 'plain' }")]);
  expect(rig.client.state).toMatchObject({ name: 'waiting', reason: 'hello_timeout' });
});

it('closes the socket whose server does not answer $hello', async () => {
  const rig = new ClientRig({ helloTimeoutMs: 1_000 });
  rig.server.onHello = () => undefined;
  rig.client.connect();

  await rig.pass(1_005);

  expect(rig.server.peers[0]?.closedBy?.code).toBe(1000);
});

it('waits and tells $error when the server does not accept $hello', async () => {
  const rig = new ClientRig();
  rig.server.onHello = () => ({ error: { code: 'bad_request', message: 'no clientId', retryable: false } });

  rig.client.connect();
  await rig.pass(5);

  expect(rig.client.state).toMatchObject({ name: 'waiting', reason: 'connect_failed' });
  expect(rig.errors).toMatchObject([{ message: expect.stringContaining('no clientId') }]);
});

it('gives up an attempt whose socket does not open in time', async () => {
  const rig = new ClientRig({ connectTimeoutMs: 2_000, random: { ...seeded(1), next: () => 0 } });
  rig.server.reception = 'hang';
  rig.client.connect();

  await rig.pass(1_999);
  const before = rig.client.state.name;
  await rig.pass(1);

  expect(before).toBe('connecting');
  expect(rig.client.state).toMatchObject({ name: 'waiting', reason: 'connect_failed' });
});

it('waits when the constructor of the WebSocket throws', async () => {
  const cause = new SyntaxError('bad url');
  const rig = new ClientRig({
    WebSocket: vi.fn(function refuse(): never {
      throw cause;
    }) as never,
  });

  rig.client.connect();
  await rig.pass(0);

  expect(rig.client.state).toMatchObject({ name: 'waiting', reason: 'connect_failed' });
  expect(rig.errors).toMatchObject([{ cause }]);
});

it.each(['no JSON', '[]', '"text"', '{"event":1}', '{}', new ArrayBuffer(2)])(
  'drops and reports a frame that it cannot read: %j',
  async (text) => {
    const rig = await ClientRig.open();

    rig.server.peer.sendText(text);
    await rig.pass();

    expect(rig.errors).toMatchObject([{ code: 'bad_frame' }]);
    expect(rig.client.state.name).toBe('open');
  },
);

it('ignores a command that it does not know', async () => {
  const rig = await ClientRig.open();
  const got: unknown[] = [];
  rig.client.on('$novel' as never, (data) => got.push(data));

  rig.server.peer.send({ event: '$novel', data: 1 });
  await rig.pass();

  expect([got, rig.errors]).toEqual([[], []]);
});

it('tells each state once, with its reason', async () => {
  const rig = await ClientRig.open();

  await rig.reconnect();
  rig.client.close();
  await rig.pass(0);

  expect(rig.states.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
    'connecting: requested',
    'open: welcomed',
    'waiting: closed_by_server',
    'connecting: retry',
    'open: welcomed',
    'closed: close_called',
  ]);
});

it('still answers a message of an idle connection that the server closes before the welcome', async () => {
  const rig = new ClientRig();
  rig.server.reception = { code: 4510 };
  const sent = rig.send('a');
  await rig.pass(2);
  rig.server.reception = 'accept';
  rig.server.onMessage = () => ({ data: 'done' });

  await rig.pass(60_000);

  expect(sent.value).toBe('done');
});

it('comes back from idle (4510) with the next message', async () => {
  const rig = await ClientRig.open();
  rig.server.peer.close(4510);
  await rig.pass(60_000);
  const before = rig.client.state;

  rig.send('a');
  await rig.pass(10);

  expect(before).toEqual({ name: 'idle', reason: 'idle_timeout', code: 4510 });
  expect(rig.server.peer.messages).toHaveLength(1);
});

it('comes back from idle (4510) by itself for a message that has no answer yet', async () => {
  const rig = await ClientRig.open();
  rig.send('a');
  await rig.pass();

  rig.server.peer.close(4510);
  await rig.pass(2);
  await rig.comeBack();

  expect(rig.client.state.name).toBe('open');
  expect(rig.server.peer.messages).toHaveLength(1);
});

it('does not hammer a server that closes every connection with 4510', async () => {
  const rig = await ClientRig.open();
  rig.send('a');
  await rig.pass();
  rig.server.onHello = (peer) => {
    const answer = { data: rig.server.welcome() };
    queueMicrotask(() => peer.close(4510));
    return answer;
  };

  rig.server.peer.close(4510);
  await rig.pass(10_000);

  expect(rig.server.attempts.length).toBeLessThan(50);
});

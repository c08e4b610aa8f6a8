import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';

const clientIds = (rig: ClientRig): string[] =>
  rig.server.frames.filter(({ event }) => event === '$hello').map(({ data }) => data.clientId as string);

it('rejects what was queued under another principal, and never sends it', async () => {
  const rig = await ClientRig.open();
  const inFlight = rig.send('a');
  await rig.pass();
  rig.server.principal = 'bob';
  rig.server.peer.cut();
  await rig.pass(2);
  const waiting = rig.send('b');

  await rig.comeBack();

  expect([inFlight.error?.code, waiting.error?.code]).toEqual(['principal_changed', 'principal_changed']);
  expect(rig.server.peer.messages).toEqual([]);
});

it.each([
  ['', 'ada'],
  ['ada', ''],
])('takes a change from %j to %j for another principal', async (before, after) => {
  const rig = await ClientRig.open({}, ({ server }) => (server.principal = before));
  const sent = rig.send('a');
  await rig.pass();
  rig.server.principal = after;

  await rig.reconnect();

  expect(sent.error?.code).toBe('principal_changed');
});

it.each(['', 'ada'])('keeps what waits where the principal stays %j', async (principal) => {
  const rig = await ClientRig.open({}, ({ server }) => (server.principal = principal));
  const sent = rig.send('a');
  await rig.pass();

  await rig.reconnect();

  expect(sent.state).toBe('pending');
  expect(rig.server.peer.messages).toHaveLength(1);
});

it('sends what was queued before the first welcome under the principal of that welcome', async () => {
  const rig = new ClientRig();

  const sent = rig.send('a');
  await rig.pass(10);
  rig.server.principal = 'bob';
  await rig.reconnect();

  expect(sent.error?.code).toBe('principal_changed');
});

it('rejects everything that waits when reset() is called', async () => {
  const rig = await ClientRig.open();
  const inFlight = rig.send('a');
  await rig.pass();

  rig.client.reset();
  await rig.pass(10);

  expect(inFlight.error?.code).toBe('principal_changed');
  expect(rig.server.peer.messages).toEqual([]);
});

it('takes a new identity and asks the token anew when reset() is called', async () => {
  const asked: boolean[] = [];
  const rig = await ClientRig.open({ token: ({ refresh }) => (asked.push(refresh), 'jwt') });

  rig.client.reset();
  await rig.pass(10);

  expect(new Set(clientIds(rig)).size).toBe(2);
  expect(asked).toEqual([false, false]);
});

it('stays idle when reset() is called on an idle client', async () => {
  const rig = new ClientRig();

  rig.client.reset();
  await rig.pass(100);

  expect(rig.client.state.name).toBe('idle');
  expect(rig.server.attempts).toEqual([]);
});

it('keeps what is sent after reset(), whoever is logged in then', async () => {
  const rig = await ClientRig.open();
  rig.client.reset();
  rig.server.principal = 'bob';

  const sent = rig.send('a');
  await rig.pass(10);

  expect(sent.state).toBe('pending');
  expect(rig.server.peer.messages).toHaveLength(1);
});

it('keeps its identity over reconnects', async () => {
  const rig = await ClientRig.open();

  await rig.reconnect();

  expect(rig.server.peers).toHaveLength(2);
  expect(new Set(clientIds(rig)).size).toBe(1);
});

it('gives each client an identity of its own, as the protocol wants it', async () => {
  const rigs = [await ClientRig.open({}, undefined), new ClientRig({}, 2)];
  await rigs[1]?.connect();

  const [one, other] = rigs.map((rig) => clientIds(rig)[0]);

  expect(one).not.toBe(other);
  expect(one).toMatch(/^[A-Za-z0-9_-]{22,64}$/);
});

it('moves only unsent messages when its identity was taken (4509)', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxInFlight'] = 1));
  const sent = rig.send('a');
  const unsent = rig.send('b');
  await rig.pass();

  rig.server.peer.close(4509);
  await rig.pass(10);

  expect([sent.error?.code, sent.error?.closeCode, unsent.state]).toEqual(['closed', 4509, 'pending']);
  expect(rig.server.peer.messages.map(({ event }) => event)).toEqual(['b']);
  expect(new Set(clientIds(rig)).size).toBe(2);
});

it('closes when the new identity is taken at once as well', async () => {
  const rig = await ClientRig.open();
  rig.server.peer.close(4509);
  await rig.pass(10);

  rig.server.peer.close(4509);
  await rig.pass(60_000);

  expect(rig.client.state).toMatchObject({ name: 'closed', code: 4509 });
  expect(rig.server.peers).toHaveLength(2);
});

it('rejects with expired what the server may not know any more', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['dedupWindowMs'] = 60_000));
  const old = rig.send('a');
  await rig.pass();
  rig.server.reception = 'refuse';
  rig.server.peer.cut();
  await rig.pass(31_000);
  const young = rig.send('b');
  rig.server.reception = 'accept';
  await rig.pass(60_000);

  expect([old.error?.code, young.state]).toEqual(['expired', 'pending']);
  expect(rig.server.peer.messages.map(({ event }) => event)).toEqual(['b']);
});

it('sends a first copy, however short the window of the server', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['dedupWindowMs'] = 20_000));

  rig.send('m');
  await rig.pass();

  expect(rig.server.messages).toHaveLength(1);
});

it('sends again within dedupWindowMs less 30 s', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['dedupWindowMs'] = 60_000));
  const sent = rig.send('a');
  await rig.pass();
  const retryAfterMs = 29_990;

  rig.server.answer(rig.server.messages[0], {
    error: { code: 'unavailable', message: '', retryable: true, retryAfterMs },
  });
  await rig.pass(30_010);

  expect(sent.state).toBe('pending');
  expect(rig.server.messages).toHaveLength(2);
});

it('never lets a message expire where the server does not deduplicate', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('a');
  await rig.pass();
  rig.server.reception = 'refuse';
  rig.server.peer.cut();

  await rig.pass(3_600_000);
  rig.server.reception = 'accept';
  await rig.pass(60_000);

  expect(sent.state).toBe('pending');
  expect(rig.server.peer.messages).toHaveLength(1);
});

it('lets a message that waited for its first send as long as it takes', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['dedupWindowMs'] = 60_000));
  rig.server.reception = 'refuse';
  rig.server.peer.cut();
  await rig.pass(2);
  const sent = rig.send('a');
  await rig.pass(300_000);

  rig.server.reception = 'accept';
  await rig.pass(60_000);

  expect(sent.state).toBe('pending');
  expect(rig.server.peer.messages).toHaveLength(1);
});

// A reset() that a listener of $state calls is carried out behind the change that is being told.
it('keeps what a listener of $state sends right after reset()', async () => {
  const rig = await ClientRig.open();
  let sent: ReturnType<ClientRig['send']> | undefined;
  const off = rig.client.on('$state', ({ name }) => {
    if (name !== 'waiting') return;
    off();
    rig.client.reset();
    sent = rig.send('a');
  });

  rig.server.peer.cut();
  await rig.pass(20);

  expect(sent?.error?.code).toBeUndefined();
  expect(rig.server.peer.messages).toHaveLength(1);
});

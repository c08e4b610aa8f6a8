import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';

it('writes a message without an id', async () => {
  const rig = await ClientRig.open();

  const isSent = rig.client.emit('typing', { room: 'lobby' });
  await rig.pass();

  expect(isSent).toBe(true);
  expect(rig.server.messages).toEqual([{ event: 'typing', data: { room: 'lobby' } }]);
});

it('returns false while offline, never sends it later, and connects', async () => {
  const rig = new ClientRig();

  const isSent = rig.client.emit('typing', 1);
  await rig.pass(10);

  expect([isSent, rig.client.state.name]).toEqual([false, 'open']);
  expect(rig.server.messages).toEqual([]);
});

it('returns false before the welcome', async () => {
  const rig = new ClientRig();
  rig.server.onHello = () => undefined;
  await rig.connect();

  expect(rig.client.emit('typing', 1)).toBe(false);
});

it('returns false when the client is closed', async () => {
  const rig = await ClientRig.open();
  rig.client.close();

  expect(rig.client.emit('typing', 1)).toBe(false);
});

it.each([
  [100, true],
  [101, false],
])('looks at the backlog of the socket: %i bytes of 100', async (bufferedAmount, expected) => {
  const rig = await ClientRig.open({ maxQueueBytes: 100 });

  rig.server.peer.backlog(bufferedAmount);

  expect(rig.client.emit('typing', 1)).toBe(expected);
});

it.each([
  ['payload_too_large', 'x'.repeat(65_536)],
  ['bad_request', 1n],
])('throws %s for what the server would not take', async (code, data) => {
  const rig = await ClientRig.open();

  expect(() => rig.client.emit('typing', data)).toThrow(expect.objectContaining({ code }));
});

it('refuses the name of a command', async () => {
  const rig = await ClientRig.open();

  expect(() => rig.client.emit('$ping')).toThrow(TypeError);
});

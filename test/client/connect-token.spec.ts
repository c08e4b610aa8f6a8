import { expect, it } from 'vitest';
import type { TokenSource } from '../../lib/client/index.js';
import { Deferred } from '../support/deferred.js';
import { ClientRig } from './client-rig.js';

const JSON_V1 = 'nestjs-channels.v1.json';

it.each<[string, string | TokenSource]>([
  ['a string', 'jwt-1'],
  ['a function', () => 'jwt-1'],
  ['an async function', async () => 'jwt-1'],
])('carries the token of %s in the subprotocol, behind the protocol', async (_kind, token) => {
  const rig = await ClientRig.open({ token });

  expect(rig.server.peer.protocols[0]).toBe(JSON_V1);
  expect(rig.server.peer.token).toBe('jwt-1');
});

it.each<[string, TokenSource | undefined]>([
  ['no token', undefined],
  ['a function that gives undefined', () => undefined],
  ['a function that gives null', () => null],
  ['a function that gives an empty text', async () => ''],
])('offers nothing but the protocol with %s', async (_kind, token) => {
  const rig = await ClientRig.open({ token });

  expect(rig.server.peer.protocols).toEqual([JSON_V1]);
});

it.each<[string, TokenSource]>([
  [
    'throws',
    () => {
      throw new Error('mine');
    },
  ],
  ['rejects', () => Promise.reject(new Error('mine'))],
])('waits and tells $error when the token function %s', async (_kind, token) => {
  const rig = new ClientRig({ token });

  rig.client.connect();
  await rig.pass(0);

  expect(rig.client.state).toMatchObject({ name: 'waiting', reason: 'token_failed', failures: 1 });
  expect(rig.errors).toMatchObject([{ cause: { message: 'mine' } }]);
});

it.each(['ca\u00f6', 'with space', 'line\n'])(
  'takes %j for no token, and does not tell it',
  async (token) => {
    const rig = new ClientRig({ token: () => token });

    rig.client.connect();
    await rig.pass(0);

    expect(rig.client.state).toMatchObject({ name: 'waiting', reason: 'token_failed' });
    expect(String(rig.errors[0]?.cause)).not.toContain(token);
  },
);

it('refuses a text that is no token when it is constructed', () => {
  expect(() => new ClientRig({ token: 'ca\u00f6' })).toThrow(/token must be visible ASCII/);
});

it('gives up an attempt whose token function hangs', async () => {
  const rig = new ClientRig({ token: () => new Promise(() => undefined), connectTimeoutMs: 3_000 });

  rig.client.connect();
  await rig.pass(1_400);
  const before = rig.client.state.name;
  await rig.pass(1_600);

  expect([before, rig.states[1]?.name]).toEqual(['connecting', 'waiting']);
});

it('ignores a token that comes after its attempt is over', async () => {
  const tokens = [new Deferred<string>(), new Deferred<string>()];
  let asked = 0;
  const rig = new ClientRig({ token: () => tokens[asked++]?.promise, connectTimeoutMs: 1_000 });
  rig.client.connect();
  await rig.pass(1_000);
  await rig.comeBack();

  tokens[0]?.resolve('late');
  await rig.pass(5);
  const early = rig.server.attempts.length;
  tokens[1]?.resolve('right');
  await rig.pass(5);

  expect([early, asked]).toEqual([0, 2]);
  expect(rig.server.peer.token).toBe('right');
});

it('opens no socket for a token that comes after close()', async () => {
  const token = new Deferred<string>();
  const rig = new ClientRig({ token: () => token.promise });
  rig.client.connect();
  rig.client.close();

  token.resolve('late');
  await rig.pass();

  expect(rig.server.attempts).toEqual([]);
});

it('asks before every attempt', async () => {
  let asked = 0;
  const rig = await ClientRig.open({ token: () => `jwt-${++asked}` });

  await rig.reconnect();

  expect(rig.server.peers.map(({ token }) => token)).toEqual(['jwt-1', 'jwt-2']);
});

it.each([4401, 4501])('asks once more with refresh after %i, at once', async (code) => {
  const asked: boolean[] = [];
  const rig = await ClientRig.open({ token: ({ refresh }) => (asked.push(refresh), `jwt-${asked.length}`) });

  rig.server.peer.close(code);
  await rig.pass(10);

  expect(asked).toEqual([false, true]);
  expect([rig.client.state.name, rig.server.peer.token]).toEqual(['open', 'jwt-2']);
});

it('stays away when the refreshed token is refused with 4501 as well', async () => {
  let asked = 0;
  const rig = new ClientRig({ token: () => `jwt-${++asked}` });
  rig.server.reception = { code: 4501 };

  rig.client.connect();
  await rig.pass(3_600_000);

  expect(rig.client.state).toMatchObject({ name: 'closed', reason: 'closed_by_server', code: 4501 });
  expect(asked).toBe(2);
});

it('asks with refresh again after the connection has been stable', async () => {
  const asked: boolean[] = [];
  const rig = await ClientRig.open({ token: ({ refresh }) => (asked.push(refresh), 'jwt') });
  rig.server.peer.close(4501);
  await rig.pass(11_000);

  rig.server.peer.close(4501);
  await rig.pass(10);

  expect(asked).toEqual([false, true, true]);
  expect(rig.client.state.name).toBe('open');
});

it('closes after 4501 when the token is a string', async () => {
  const rig = new ClientRig({ token: 'jwt' });
  rig.server.reception = { code: 4501 };

  rig.client.connect();
  await rig.pass(60_000);

  expect(rig.client.state).toMatchObject({ name: 'closed', code: 4501 });
  expect(rig.server.attempts).toHaveLength(1);
});

it('comes back with the same string after 4401, with backoff', async () => {
  const rig = new ClientRig({ token: 'jwt' });
  rig.server.reception = { code: 4401 };

  rig.client.connect();
  await rig.pass(5);

  expect(rig.client.state).toMatchObject({ name: 'waiting', code: 4401, failures: 1 });
});

// The failure of the attempt that was told was taken for one of the attempt that the listener had begun.
it('goes on with the attempt that a listener of $error begins by reset()', async () => {
  let asked = 0;
  const rig = new ClientRig({
    token: () => {
      if (++asked === 1) throw new Error('mine');
      return 'jwt';
    },
  });
  const off = rig.client.on('$error', () => {
    off();
    rig.client.reset();
  });

  rig.client.connect();
  await rig.pass(10);

  expect(rig.client.state.name).toBe('open');
  expect(asked).toBe(2);
});

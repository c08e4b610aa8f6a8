import { expect, it } from 'vitest';
import type { StoredMessage } from '../../lib/client/index.js';
import { ClientRig } from './client-rig.js';

const failing = (failure: Partial<Record<'open' | 'save' | 'remove' | 'close', unknown>>): object => ({
  open: async () => {
    if ('open' in failure) throw failure.open;
    const act = (name: 'save' | 'remove' | 'close') => async (): Promise<void> => {
      if (name in failure) throw failure[name];
    };
    return { messages: [], save: act('save'), remove: act('remove'), close: act('close') };
  },
});

it('asks for no token and opens no socket before the storage has answered', async () => {
  let answer: (queue: object) => void = () => undefined;
  const storage = { open: () => new Promise((resolve) => (answer = resolve)) };
  const asked: string[] = [];
  const rig = new ClientRig({ storage: storage as never, token: () => (asked.push('token'), 'jwt') });
  rig.client.connect();
  await rig.pass(100);
  const before = [asked.length, rig.server.attempts.length];

  answer({ messages: [], save: () => undefined, remove: () => undefined, close: () => undefined });
  await rig.pass(10);

  expect([before, rig.client.state.name]).toEqual([[0, 0], 'open']);
});

it('waits for the storage over several attempts, and opens it once', async () => {
  let answer: (queue: object) => void = () => undefined;
  let opened = 0;
  const storage = { open: () => (opened++, new Promise((resolve) => (answer = resolve))) };
  const rig = new ClientRig({ storage: storage as never });
  rig.client.connect();
  await rig.pass(60_000);

  answer({ messages: [], save: () => undefined, remove: () => undefined, close: () => undefined });
  await rig.pass(60_000);

  expect([opened, rig.client.state.name, rig.server.peers.length]).toEqual([1, 'open', 1]);
});

it('touches no storage before it connects', async () => {
  let opened = 0;
  const rig = new ClientRig({ storage: { open: () => (opened++, Promise.reject(new Error('no'))) } });

  await rig.pass(100);

  expect(opened).toBe(0);
});

it.each(['open', 'save', 'remove', 'close'] as const)(
  'tells $error when %s fails, and goes on',
  async (method) => {
    const cause = new Error('no room');
    const rig = await ClientRig.open({ storage: failing({ [method]: cause }) as never });

    const sent = rig.send('a');
    await rig.pass();
    rig.server.answer(rig.server.messages[0], { data: 1 });
    await rig.pass();
    rig.client.close();
    await rig.pass();

    expect(sent).toMatchObject({ state: 'resolved', value: 1 });
    expect(rig.errors.length).toBeGreaterThan(0);
    expect(rig.errors[0]).toMatchObject({ code: 'storage_failed', cause });
  },
);

it('tells $error what a storage tells without a call, and what it throws at once', async () => {
  const storage = {
    open: async (failed: (cause: unknown) => void) => {
      failed(new Error('damaged'));
      const save = (): never => {
        throw new Error('thrown');
      };
      return { messages: [], save, remove: () => undefined, close: () => undefined };
    },
  };
  const rig = await ClientRig.open({ storage });

  const sent = rig.send('a');
  await rig.pass();

  expect(sent.state).toBe('pending');
  expect(rig.errors.map(({ message }) => message)).toEqual([
    'The storage failed: Error: damaged',
    'The storage failed: Error: thrown',
  ]);
});

it('sends what is queued where a storage gives what is no frame', async () => {
  const message: StoredMessage = { id: 'i', clientId: 'c'.repeat(22), text: '{' };
  const storage = {
    open: async () => ({
      messages: [message],
      save: () => undefined,
      remove: () => undefined,
      close: () => undefined,
    }),
  };
  const rig = new ClientRig({ storage });
  rig.send('a');

  await rig.pass(10);

  expect(rig.server.messages.map(({ event }) => event)).toEqual(['a']);
  expect(rig.errors).toMatchObject([{ code: 'storage_failed' }]);
});

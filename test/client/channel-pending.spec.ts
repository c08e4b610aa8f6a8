import { describe, expect, it } from 'vitest';
import { ClientRig, watched } from './client-rig.js';

const NOBODY = (): void => undefined;
/** 4510, which a client without messages of its own meets. */
const IDLE_TIMEOUT = 4_510;

describe('a call of subscribe() that waits', () => {
  it('is answered also when the server closes the connection as idle meanwhile', async () => {
    const rig = await ClientRig.open({}, ({ server }) => (server.onSubscribe = () => undefined));
    const joined = watched(rig.client.channel('chat:lobby').subscribe());
    await rig.pass();

    rig.server.onSubscribe = () => ({ data: { channel: 'chat:lobby', data: 'state' } });
    rig.server.peer.close(IDLE_TIMEOUT);
    await rig.pass(60_000);

    expect(joined).toMatchObject({ state: 'resolved', value: 'state' });
  });

  it.each<[string, (rig: ClientRig) => Promise<void>]>([
    ['reset() is called', async (rig) => rig.client.reset()],
    [
      'somebody else is logged in after a reconnect',
      async (rig) => {
        rig.server.principal = 'bob';
        await rig.reconnect();
      },
    ],
  ])('rejects when %s: the state belongs to another', async (_what, change) => {
    const rig = await ClientRig.open({}, ({ server }) => (server.onSubscribe = () => undefined));
    const joined = watched(rig.client.channel('chat:lobby').subscribe());
    await rig.pass();

    rig.server.onSubscribe = () => ({ data: { channel: 'chat:lobby', data: 'of the other' } });
    await change(rig);
    await rig.pass(60_000);

    expect(joined).toMatchObject({ state: 'rejected', error: { code: 'principal_changed' } });
  });
});

describe('a listener on a channel that the server joins', () => {
  it('connects, and joins nothing', async () => {
    const rig = new ClientRig();

    rig.client.channel('user:7', { subscribe: false }).on('notice', NOBODY);
    await rig.pass(20);

    expect(rig.client.state.name).toBe('open');
    expect(rig.server.frames.map(({ event }) => event)).toEqual(['$hello']);
  });
});

// The refusal came while the client was still opening: the queue of the first user was written behind it.
it('sends nothing of the first user behind a reset() in the listener of a channel that is refused here', async () => {
  const rig = new ClientRig({}, 1);
  rig.server.limits['maxMessageBytes'] = 300;
  const lobby = rig.client.channel('chat:lobby', { params: 'x'.repeat(500) });
  lobby.on('$error', () => {
    rig.server.principal = 'bob';
    rig.client.reset();
  });
  const joined = watched(lobby.subscribe());
  const sent = rig.send('secret.of.ada');

  await rig.pass(60_000);

  expect(joined).toMatchObject({ state: 'rejected', error: { code: 'payload_too_large' } });
  expect(sent).toMatchObject({ state: 'rejected', error: { code: 'principal_changed' } });
});

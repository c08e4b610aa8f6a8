import { expect, it, onTestFinished, vi } from 'vitest';
import { ClientRig } from './client-rig.js';

const NOBODY = (): void => undefined;
const joins = (rig: ClientRig): number =>
  rig.server.frames.filter(({ event }) => event === '$subscribe').length;

/** A listener of everything that a channel tells, on a client that does not join it by itself. */
async function listening(): Promise<{ rig: ClientRig; told: unknown[] }> {
  const rig = await ClientRig.open();
  const told: unknown[] = [];
  const inbox = rig.client.channel('inbox', { subscribe: false });
  inbox.on('message', (data) => told.push(data));
  inbox.on('$subscribed', (event) => told.push(['$subscribed', event]));
  inbox.on('$unsubscribed', (event) => told.push(['$unsubscribed', event]));
  inbox.on('$gap', ({ reason }) => told.push(['$gap', reason]));
  await rig.pass();
  return { rig, told };
}

const JOINED = ['$subscribed', { data: undefined, recovered: false, by: 'server' }];

it('hears a channel that the server has joined', async () => {
  const { rig, told } = await listening();

  rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
  rig.server.publish('inbox', 'message', 'hi');
  await rig.pass();

  expect(told).toEqual([JOINED, 'hi']);
  expect(joins(rig)).toBe(0);
});

it('never joins again what the server has joined', async () => {
  const { rig, told } = await listening();
  rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
  await rig.pass();

  await rig.reconnect();
  rig.server.publish('inbox', 'message', 'stray');
  await rig.pass();

  expect(joins(rig)).toBe(0);
  expect(told).toEqual([JOINED]);
});

it('joins after a reconnect what the server has joined and somebody listens to by itself', async () => {
  const { rig } = await listening();
  rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
  await rig.pass();
  rig.client.channel('inbox').on('typing', NOBODY);
  await rig.pass();
  const before = joins(rig);

  await rig.reconnect();

  expect([before, joins(rig)]).toEqual([0, 1]);
});

it('does not join after a reconnect what the server has ended before it has joined it', async () => {
  const rig = await ClientRig.open();
  rig.client.channel('inbox').on('typing', NOBODY);
  await rig.pass();
  rig.server.peer.send({ event: '$unsubscribed', data: { channel: 'inbox' } });
  rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
  await rig.pass();

  await rig.reconnect();

  expect(joins(rig)).toBe(1);
});

it('tells a gap when the server has joined again after a reconnect', async () => {
  const { rig, told } = await listening();
  rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
  await rig.pass();
  await rig.reconnect();

  rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
  await rig.pass();

  expect(told).toEqual([JOINED, ['$gap', 'rejoined'], JOINED]);
});

it('hears a channel that the server joins before the welcome', async () => {
  const rig = new ClientRig();
  const got: unknown[] = [];
  rig.client.channel('inbox', { subscribe: false }).on('message', (data) => got.push(data));
  rig.server.onHello = (peer) => {
    peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
    return { data: rig.server.welcome() };
  };

  await rig.connect();
  rig.server.publish('inbox', 'message', 'hi');
  await rig.pass();

  expect(got).toEqual(['hi']);
});

it('hears a channel whose listener comes after the server has joined it', async () => {
  const rig = await ClientRig.open();
  const got: unknown[] = [];
  rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
  await rig.pass();

  rig.client.channel('inbox', { subscribe: false }).on('message', (data) => got.push(data));
  rig.server.publish('inbox', 'message', 'hi');
  await rig.pass();

  expect(got).toEqual(['hi']);
});

it('leaves a channel that the server has joined with unsubscribe() only', async () => {
  const { rig } = await listening();
  rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox' } });
  await rig.pass();
  rig.client.channel('inbox').on('typing', NOBODY)();
  await rig.pass();
  const before = rig.server.peer.of('$unsubscribe').length;

  rig.client.channel('inbox').unsubscribe();
  await rig.pass();

  expect([before, rig.server.peer.of('$unsubscribe').length]).toEqual([0, 1]);
});

it('takes a channel that the server has ended as left, and does not join it again', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const told: unknown[] = [];
  lobby.on('message', (data) => told.push(data));
  lobby.on('$unsubscribed', (event) => told.push(event));
  await rig.pass();

  rig.server.peer.send({
    event: '$unsubscribed',
    data: { channel: 'chat:lobby', code: 'forbidden', reason: 'banned' },
  });
  rig.server.publish('chat:lobby', 'message', 'late');
  await rig.pass();
  await rig.reconnect();

  expect(told).toHaveLength(1);
  expect(told).toMatchObject([{ code: 'forbidden', reason: 'banned' }]);
  expect(joins(rig)).toBe(1);
});

it('tells the gap that the server names', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const told: unknown[] = [];
  lobby.on('message', NOBODY);
  lobby.on('$gap', (gap) => told.push(gap));
  rig.client.on('$gap', (gap) => told.push(gap));
  await rig.pass();

  rig.server.peer.send({ event: '$gap', data: { channel: 'chat:lobby' } });
  await rig.pass();

  const gap = { channel: 'chat:lobby', reason: 'lost' };
  expect(told).toEqual([gap, gap]);
});

it.each([undefined, null, 'inbox', {}, { channel: 1 }])('ignores $subscribed with data %j', async (data) => {
  const rig = await ClientRig.open();

  rig.server.peer.send({ event: '$subscribed', data });
  await rig.pass();

  expect(rig.client.state.name).toBe('open');
});

it('hears presence, and joins nothing for it', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const told: unknown[] = [];
  lobby.on('$join' as never, (data) => told.push(data));
  await rig.pass();
  const before = joins(rig);
  lobby.on('message', NOBODY);
  await rig.pass();

  rig.server.publish('chat:lobby', '$join', { principal: 'bob' });
  rig.server.publish('chat:lobby', '$subscribed', 'no publication');
  await rig.pass();

  expect([before, told]).toEqual([0, [{ principal: 'bob' }]]);
});

it('tells $error what a listener threw, and calls the others', async () => {
  const rig = await ClientRig.open();
  const lobby = rig.client.channel('chat:lobby');
  const got: unknown[] = [];
  lobby.on('message', () => {
    throw new Error('mine');
  });
  lobby.on('message', (data) => got.push(data));
  await rig.pass();

  rig.server.publish('chat:lobby', 'message', 'hi');
  await rig.pass();

  expect(got).toEqual(['hi']);
  expect(rig.errors).toMatchObject([{ code: 'listener_failed', cause: { message: 'mine' } }]);
});

it.each(['$error', 'notice'])(
  'throws once more, in a microtask, what a listener of %s threw',
  async (event) => {
    const rig = new ClientRig({}, 1, 'deaf');
    const thrown: unknown[] = [];
    await rig.connect();
    const real = queueMicrotask;
    vi.stubGlobal('queueMicrotask', (callback: () => void) =>
      real(() => {
        try {
          callback();
        } catch (error) {
          thrown.push(error);
        }
      }),
    );
    onTestFinished(() => void vi.unstubAllGlobals());
    rig.client.on(event, () => {
      throw new Error('mine');
    });

    rig.server.peer.sendText(event === '$error' ? 'no JSON' : '{"event":"notice"}');
    await rig.pass();

    expect(thrown).toEqual([new Error('mine')]);
  },
);

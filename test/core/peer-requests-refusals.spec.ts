import { describe, expect, it } from 'vitest';
import { watched } from '../client/client-rig.js';
import { Deferred } from '../support/deferred.js';
import { deaf, Rig, say, settled, type Peer } from './engine-rig.js';
import { Desk, isSilent } from './peer-requests-rig.js';

describe('The end of a connection', () => {
  it.each<[string, (peer: Peer) => void]>([
    ['is lost', ({ connection }) => connection.closed(1_006, '')],
    ['is closed by the server', ({ connection }) => connection.close(1_000)],
    ['is terminated', ({ connection }) => connection.terminate(4_408)],
  ])('rejects what it owes when it %s', async (_what, end) => {
    const rig = await Rig.start();
    const desk = new Desk(rig, rig.open({}, deaf()));
    const asked = [desk.ask('a'), desk.ask('b')];
    await desk.sent();

    end(desk.peer);
    await settled();

    for (const { error } of asked) expect(error).toMatchObject({ code: 'unavailable', retryable: false });
  });

  it.each<[string, (peer: Peer) => void]>([
    ['closing', ({ connection }) => connection.close(1_000)],
    ['closed', ({ connection }) => connection.closed(1_006, '')],
  ])('refuses at once while %s', async (_state, end) => {
    const rig = await Rig.start();
    const desk = new Desk(rig, rig.open({}, deaf()));
    end(desk.peer);

    const asked = desk.ask();

    expect(await isSilent(desk.peer)).toBe(true);
    expect(asked.error).toMatchObject({ code: 'unavailable', message: 'the connection has closed' });
  });

  it('rejects a request that goes beyond maxOutboxBytes, which ends the connection', async () => {
    const desk = await Desk.open({ maxOutboxBytes: 100 });
    desk.peer.transport.bufferedAmount = 90;

    const asked = desk.ask('confirm', 'x'.repeat(50));
    await settled();

    expect(asked.error).toMatchObject({ code: 'unavailable' });
    expect(desk.peer.transport.calls).toEqual(['destroy']);
  });

  it('lets a handler finish at shutdown that asks its client', async () => {
    const ask = new Deferred();
    const handle = async ({ connection }: { connection: Peer['connection'] }): Promise<unknown> => {
      await ask.promise;
      return connection.request('confirm', undefined);
    };
    const desk = await Desk.open({ handlers: [{ event: 'work', acked: false, handle }] });
    say(desk.peer, { event: 'work', id: 'w' });
    const ended = watched(desk.rig.engine.shutdown());
    ask.resolve();

    await desk.answer({ data: 'done' });
    await desk.rig.clock.advance(0);

    expect(desk.peer.transport.frames).toContain('{"ack":"w","data":"done"}');
    expect(ended.state).toBe('resolved');
  });
});

describe('Before handleConnection has settled', () => {
  it('refuses at once: nothing is read until then', async () => {
    const connected = new Deferred();
    const rig = await Rig.start({ connected: () => connected.promise });
    const peer = rig.open();
    const early = watched(peer.connection.request('confirm', undefined));
    const isQuiet = await isSilent(peer);
    connected.resolve();
    await settled();
    const later = watched(peer.connection.request('confirm', undefined));
    await settled();

    expect(isQuiet).toBe(true);
    expect(early.error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('handleConnection'),
    });
    expect(later.state).toBe('pending');
  });
});

describe('What cannot be asked', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;

  it.each<[string, string, unknown, string]>([
    ['a reserved event', '$confirm', 1, 'bad_request'],
    ['no event', '', 1, 'bad_request'],
    ['an event that is no text', 7 as unknown as string, 1, 'bad_request'],
    ['a BigInt', 'confirm', 1n, 'bad_request'],
    ['a circle', 'confirm', circular, 'bad_request'],
    [
      'a getter that throws',
      'confirm',
      {
        toJSON: () => {
          throw new Error('private');
        },
      },
      'bad_request',
    ],
  ])('rejects, and sends nothing: %s', async (_what, event, data, code) => {
    const desk = await Desk.open();

    const asked = desk.ask(event, data);

    expect(await isSilent(desk.peer)).toBe(true);
    expect(asked.error).toMatchObject({ name: 'ChannelsError', code });
    expect(asked.error.message).not.toContain('private');
  });

  it.each([
    [10, ['pending', undefined]],
    [11, ['rejected', 'bad_request']],
  ])('is an event of more than maxEventLength: %i of 10', async (length, ending) => {
    const desk = await Desk.open({ maxEventLength: 10 });

    const asked = desk.ask('e'.repeat(length));
    await settled();

    expect([asked.state, asked.error?.code]).toEqual(ending);
  });

  it.each([
    [0, ['pending', undefined]],
    [1, ['rejected', 'payload_too_large']],
  ])('is a frame of %i bytes more than maxMessageBytes', async (more, ending) => {
    const probe = await Desk.open();
    probe.ask('confirm', 'é');
    await settled();
    const bytes = Buffer.byteLength(probe.peer.transport.frames[0] as string);
    const desk = await Desk.open({ maxMessageBytes: bytes });

    const asked = desk.ask('confirm', `é${'x'.repeat(more)}`);

    expect(await isSilent(desk.peer)).toBe(more === 1);
    expect([asked.state, asked.error?.code]).toEqual(ending);
  });

  it('is one more than maxRequestsPerConnection, until one is settled', async () => {
    const desk = await Desk.open({ maxRequestsPerConnection: 2 });
    const asked = [desk.ask('a'), desk.ask('b'), desk.ask('c')];
    const other = watched(desk.rig.open().connection.request('a', undefined));
    await settled();
    const states = asked.map(({ state }) => state);

    await desk.answer({ data: 1 });
    const next = desk.ask('d');
    const last = desk.ask('e');
    await settled();

    expect(states).toEqual(['pending', 'pending', 'rejected']);
    expect(asked[2]?.error).toMatchObject({ code: 'limit_exceeded' });
    expect([next.state, last.state, other.state]).toEqual(['pending', 'rejected', 'pending']);
  });

  it('looks at the connection again behind data that closes it while it is encoded', async () => {
    const desk = await Desk.open();

    const asked = desk.ask('confirm', { toJSON: () => desk.peer.connection.close(1_000) });
    await settled();

    expect(asked.error).toMatchObject({ code: 'unavailable' });
    expect(desk.rig.engine.connections.size).toBe(0);
  });
});

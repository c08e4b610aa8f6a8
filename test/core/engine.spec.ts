import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { Rig, say, settled } from './engine-rig.js';

const CLIENT_ID = 'mJ3vQ9tYx0aLr7KcWb5eZg';
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const ECHO = { event: 'echo', acked: false, handle: ({ data }: { data: unknown }) => data };

describe('Engine.accept', () => {
  it('knows the connection and reports it once', async () => {
    const rig = await Rig.start();

    const { connection } = rig.accept();

    expect(rig.engine.connections.get(connection.id)).toBe(connection);
    expect([connection.state, rig.journal.entries]).toEqual(['opening', ['opened']]);
  });

  it('handles no message before the connection is admitted', async () => {
    const rig = await Rig.start({ handlers: [ECHO] });
    const peer = rig.accept();

    say(peer, { event: 'echo', id: 1, data: 'early' });
    await settled();

    expect(peer.transport.frames).toEqual([]);
  });
});

describe('Engine.admit', () => {
  it('opens the connection at once where handleConnection has nothing to wait for', async () => {
    const rig = await Rig.start();

    const { connection } = rig.open();

    expect(connection.state).toBe('open');
  });

  it('opens the connection when handleConnection has settled', async () => {
    const connected = new Deferred();
    const rig = await Rig.start({ connected: () => connected.promise });
    const { connection } = rig.open();
    await settled();
    const before = connection.state;

    connected.resolve();
    await settled();

    expect([before, connection.state]).toEqual(['opening', 'open']);
  });

  it('hands the request of the transport to handleConnection', async () => {
    const seen: unknown[] = [];
    const rig = await Rig.start({ connected: (connection, request) => void seen.push(connection, request) });
    const { connection } = rig.accept();

    void rig.engine.admit(connection, 'the request');

    expect(seen).toEqual([connection, 'the request']);
  });

  it('closes as the mapper says where handleConnection rejects', async () => {
    const rig = await Rig.start({ connected: () => Promise.reject(new Error('no')) });

    const { transport } = rig.open();
    await settled();

    expect(transport.calls).toEqual(['end 1011 ']);
    expect(rig.journal.entries).toEqual(['opened', 'closed 1011']);
  });

  it('closes where handleConnection takes longer than handlerTimeoutMs', async () => {
    const rig = await Rig.start({ handlerTimeoutMs: 5_000, connected: () => new Promise(() => undefined) });
    const { transport } = rig.open();

    await rig.clock.advance(4_999);
    const before = [...transport.calls];
    await rig.clock.advance(1_001);

    expect([before, transport.calls]).toEqual([[], ['end 1011 ']]);
  });

  it('leaves a connection closed that handleConnection has closed', async () => {
    const rig = await Rig.start({ connected: async (connection) => connection.close(1_000, 'full') });

    const { connection, transport } = rig.open();
    await settled();

    expect([connection.state, transport.calls]).toEqual(['closed', ['end 1000 full']]);
  });
});

describe('The end of a connection', () => {
  it('is reported once, and forgotten', async () => {
    const rig = await Rig.start();
    const { connection, transport } = rig.open();

    transport.drop(1_001);
    await settled();
    connection.closed(1_006, '');
    connection.terminate(4_408);

    expect(rig.journal.entries).toEqual(['opened', 'closed 1001']);
    expect(rig.engine.connections.size).toBe(0);
  });

  it('ends the sweep of its transport', async () => {
    const rig = await Rig.start();
    const { transport } = rig.open();
    let looks = 0;
    Object.defineProperty(transport, 'bytesRead', { get: () => (looks += 1) });
    await rig.clock.advance(1_000);
    const before = looks;

    transport.drop();
    await settled();
    await rig.clock.advance(10_000);

    expect([before, looks]).toEqual([1, 1]);
  });

  it('calls handleDisconnect with the code', async () => {
    const codes: number[] = [];
    const rig = await Rig.start({ disconnected: (_connection, code) => void codes.push(code) });
    const { transport } = rig.open();

    transport.drop(1_001);
    await settled();

    expect(codes).toEqual([1_001]);
  });

  it('calls handleDisconnect after handleConnection, even when the peer goes in between', async () => {
    const order: string[] = [];
    const connected = new Deferred();
    const rig = await Rig.start({
      connected: () => connected.promise.then(() => void order.push('connected')),
      disconnected: () => void order.push('disconnected'),
    });
    const { connection, transport } = rig.open();

    transport.drop();
    await settled();
    const before = [...rig.journal.entries, ...order];
    connected.resolve();
    await settled();

    expect(before).toEqual(['opened', 'closed 1006']);
    expect([order, connection.state]).toEqual([['connected', 'disconnected'], 'closed']);
  });

  it('calls handleDisconnect after a handleConnection that fails when the peer has gone', async () => {
    const order: string[] = [];
    const connected = new Deferred();
    const rig = await Rig.start({
      connected: () => connected.promise.finally(() => order.push('failed')),
      disconnected: () => void order.push('disconnected'),
    });
    const { transport } = rig.open();
    transport.drop();
    await settled();

    connected.reject(new Error('no'));
    await settled();

    expect(order).toEqual(['failed', 'disconnected']);
  });
});

describe('Engine.identify', () => {
  it('closes the older connection of the same client with 4509', async () => {
    const rig = await Rig.start();
    const [older, newer] = [rig.open({ principal: 'ada' }), rig.open({ principal: 'ada' })];

    rig.engine.identify(older.connection, CLIENT_ID);
    rig.engine.identify(newer.connection, CLIENT_ID);
    await settled();

    expect(older.transport.calls.at(-1)).toMatch(/^end 4509 /);
    expect([older.connection.state, newer.connection.state]).toEqual(['closed', 'open']);
  });

  it.each([
    ['the client id of another user', { principal: 'bob' }, CLIENT_ID],
    ['another client id', { principal: 'ada' }, OTHER_ID],
  ])('keeps both with %s', async (_what, info, clientId) => {
    const rig = await Rig.start();
    const [first, second] = [rig.open({ principal: 'ada' }), rig.open(info)];

    rig.engine.identify(first.connection, CLIENT_ID);
    rig.engine.identify(second.connection, clientId);
    await settled();

    expect([first.connection.state, second.connection.state]).toEqual(['open', 'open']);
  });

  it('replaces the newest connection, also after an older one has ended', async () => {
    const rig = await Rig.start();
    const peers = [rig.open(), rig.open(), rig.open()];

    for (const { connection } of peers) {
      rig.engine.identify(connection, CLIENT_ID);
      await settled();
    }

    expect(peers.map(({ connection }) => connection.state)).toEqual(['closed', 'closed', 'open']);
  });

  it('replaces nobody while the node shuts down', async () => {
    const rig = await Rig.start({ handlers: [{ ...ECHO, handle: () => new Promise(() => undefined) }] });
    const [older, newer] = [rig.open(), rig.open()];
    say(older, { event: 'echo', id: 1 });
    rig.engine.identify(older.connection, CLIENT_ID);
    void rig.engine.shutdown();

    rig.engine.identify(newer.connection, CLIENT_ID);

    expect(older.connection.state).toBe('open');
  });
});

describe('Engine.principalTag', () => {
  it('is the first 16 bytes of the SHA-256, and empty for somebody anonymous', () => {
    const { engine } = new Rig();

    // printf %s ada | sha256sum | head -c 32 | xxd -r -p | base64
    expect(engine.principalTag('ada')).toBe('_e5DDUC9V97qwYbNl5ADPQ');
    expect(engine.principalTag('')).toBe('');
  });
});

describe('Engine.start', () => {
  it('starts the one timer that serves all connections', async () => {
    const rig = new Rig();
    const before = rig.clock.pendingTimers;

    await rig.engine.start();

    expect([before, rig.clock.pendingTimers]).toEqual([0, 1]);
  });
});

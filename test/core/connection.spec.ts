import { describe, expect, it } from 'vitest';
import type { ConnectionState } from '../../lib/core/connection-state.js';
import { ANSWERED_AT_ONCE } from '../../lib/core/flush-queue.js';
import { deaf, Rig, say, settled, type Peer } from './engine-rig.js';

const ECHO = { event: 'echo', acked: false, handle: ({ data }: { data: unknown }) => data };

/** A connection in each of its states; its peer does not answer a close. */
async function inState(state: ConnectionState): Promise<Peer & { readonly rig: Rig }> {
  const rig = await Rig.start({ handlers: [ECHO] });
  const peer = rig.accept({}, deaf());
  if (state !== 'opening') void rig.engine.admit(peer.connection, undefined);
  if (state === 'closing') peer.connection.close(1_000, 'bye');
  if (state === 'closed') peer.connection.closed(1_006, '');
  expect(peer.connection.state).toBe(state);
  return { ...peer, rig };
}

describe('The states of a connection', () => {
  it('go from opening over open and closing to closed', async () => {
    const { connection } = await inState('opening');
    const states = [connection.state];

    connection.open();
    states.push(connection.state);
    connection.close(1_000);
    states.push(connection.state);
    connection.closed(1_000, '');
    states.push(connection.state);

    expect(states).toEqual(['opening', 'open', 'closing', 'closed']);
  });

  it.each(['open', 'closing', 'closed'] as const)('refuse to go from %s to open', async (state) => {
    const { connection } = await inState(state);

    expect(() => connection.open()).toThrow(`a connection cannot go from ${state} to open`);

    expect(connection.state).toBe(state);
  });

  it.each(['opening', 'open'] as const)('let %s be closed', async (state) => {
    const { connection, transport } = await inState(state);

    connection.close(1_000, 'bye');

    expect([connection.state, transport.calls]).toEqual(['closing', ['end 1000 bye']]);
  });

  it.each(['opening', 'open', 'closing'] as const)('let %s be lost', async (state) => {
    const { connection, rig } = await inState(state);

    connection.closed(1_006, '');

    expect([connection.state, rig.engine.connections.size]).toEqual(['closed', 0]);
  });

  it('keep the connection open when the transport cannot say the code', async () => {
    const { connection, transport } = await inState('open');

    expect(() => connection.close(1_006)).toThrow(TypeError);

    expect([connection.state, transport.calls]).toEqual(['open', []]);
  });
});

describe('Connection.close', () => {
  it('changes nothing the second time', async () => {
    const { connection, transport, rig } = await inState('open');

    connection.close(1_000, 'first');
    connection.close(1_012, 'second');
    connection.closed(1_005, '');

    expect(transport.calls).toEqual(['end 1000 first']);
    expect(rig.journal.entries).toEqual(['opened', 'closed 1000']);
  });

  it('changes nothing after the end', async () => {
    const { connection, transport } = await inState('closed');

    connection.close(1_000);

    expect(transport.calls).toEqual([]);
  });

  it('sends what is due first', async () => {
    const { connection, transport } = await inState('open');
    const order: string[] = [];
    connection.sendEvent('last words');
    transport.onEnd = () => order.push(...transport.events, 'end');

    connection.close(1_000);

    expect(order).toEqual(['last words', 'end']);
  });
});

describe('Connection.terminate', () => {
  it('drops what is due and destroys the transport', async () => {
    const { connection, transport } = await inState('open');
    connection.sendEvent('lost');

    connection.terminate(4_408);
    await settled();

    expect([transport.calls, transport.frames]).toEqual([['destroy'], []]);
  });

  it('ends a peer that does not answer a close; the code of the close is reported', async () => {
    const { connection, transport, rig } = await inState('closing');

    connection.terminate(4_408);
    await settled();

    expect(transport.calls).toEqual(['end 1000 bye', 'destroy']);
    expect(rig.journal.entries).toEqual(['opened', 'closed 1000']);
  });

  it('changes nothing after the end', async () => {
    const { connection, transport } = await inState('closed');

    connection.terminate(4_408);

    expect(transport.calls).toEqual([]);
  });

  it('keeps a later close from being sent', async () => {
    const { connection, transport, rig } = await inState('open');

    connection.terminate(4_413);
    connection.close(1_000);
    await settled();

    expect(transport.calls).toEqual(['destroy']);
    expect(rig.journal.entries).toEqual(['opened', 'closed 4413']);
  });
});

describe('The code that is reported', () => {
  it('is what the transport saw where this side has said nothing', async () => {
    const { connection, rig } = await inState('open');

    connection.closed(1_001, 'going away');

    expect(rig.journal.entries).toEqual(['opened', 'closed 1001']);
  });

  it('is what this side has said where it has said something', async () => {
    const { connection, rig } = await inState('open');
    connection.close(4_000, 'enough');

    connection.closed(1_006, '');

    expect(rig.journal.entries).toEqual(['opened', 'closed 4000']);
  });

  it('is reported once, whatever ends the connection again', async () => {
    const { connection, rig } = await inState('open');

    connection.closed(1_001, '');
    connection.closed(1_006, '');

    expect(rig.journal.entries).toEqual(['opened', 'closed 1001']);
  });
});

describe('Frames', () => {
  it.each(['closing', 'closed'] as const)('are dropped without a word while %s', async (state) => {
    const { connection, transport } = await inState(state);

    connection.sendEvent('late');
    connection.sendAck(1, 'late');
    connection.sendValue('late');
    await settled();

    expect(transport.frames).toEqual([]);
  });

  it('can be sent while handleConnection runs', async () => {
    const { connection, transport } = await inState('opening');

    connection.sendEvent('welcome');
    await settled();

    expect(transport.frames).toEqual(['{"event":"welcome"}']);
  });

  it.each(['opening', 'closing', 'closed'] as const)('of a peer are not handled while %s', async (state) => {
    const peer = await inState(state);

    say(peer, { event: 'echo', id: 1, data: 'x' });
    await settled();

    expect(peer.transport.frames).toEqual([]);
  });

  it('of one turn leave in one write, in order', async () => {
    const { connection, transport } = await inState('open');

    connection.sendEvent('one');
    connection.sendEvent('two');
    await settled();

    expect(transport.writes.map((frames) => frames.length)).toEqual([2]);
    expect(transport.events).toEqual(['one', 'two']);
  });

  it.each([
    ['answers', (id: number) => ({ event: 'echo', id, data: 'x' }), ANSWERED_AT_ONCE],
    ['an answer without an id, as any event,', () => ({ event: 'echo', data: 'x' }), 0],
    ['refusals', (id: number) => ({ event: 'nobody-has-it', id }), ANSWERED_AT_ONCE],
  ])('of a long turn leave before its end where they are %s', async (_what, messageOf, early) => {
    const rig = await Rig.start({ handlers: [ECHO] });
    const peers = Array.from({ length: ANSWERED_AT_ONCE + 1 }, () => rig.open());
    const written = (): number => peers.filter(({ transport }) => transport.writes.length === 1).length;
    await settled();

    for (const [id, peer] of peers.entries()) say(peer, messageOf(id));
    const before = written();
    await settled();

    expect([before, written()]).toEqual([early, peers.length]);
  });

  it('of one turn leave in two writes at most, however the answers of many are mixed', async () => {
    const rig = await Rig.start({ handlers: [ECHO] });
    const peers = Array.from({ length: 3 * ANSWERED_AT_ONCE }, () => rig.open());
    await settled();

    for (let round = 0; round < 5; round++)
      for (const peer of peers) say(peer, { event: 'echo', id: round, data: 'x' });
    await settled();

    const writes = peers.map(({ transport }) => transport.writes.length);
    expect(Math.max(...writes)).toBeLessThanOrEqual(2);
    expect(peers.map(({ transport }) => transport.frames.length)).toEqual(peers.map(() => 5));
  });
});

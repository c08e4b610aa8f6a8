import { describe, expect, it } from 'vitest';
import type { FaultKind } from 'nestjs-channels';
import { deaf, Rig, say, settled, type Peer, type RigOptions } from './engine-rig.js';
import { answersOf, startDedup } from './dedup-rig.js';

const ECHO = { event: 'echo', acked: false, handle: ({ data }: { data: unknown }) => data };
const ROOM = { subscribe: { event: '$subscribe', acked: true, handle: () => undefined } };

/** Small ones: four messages, then one each 100 ms. */
const RATES = { messagesPerSecond: 10, messageBurst: 4, maxChannelsPerConnection: 2, maxInFlight: 2 };
/** What may have been on its way when a peer is told to wait. */
const FORGIVEN = RATES.maxChannelsPerConnection + RATES.maxInFlight;

interface World {
  readonly rig: Rig;
  readonly peer: Peer;
  readonly faults: FaultKind[];
}

async function start(options: RigOptions = {}, info = {}, transport = deaf()): Promise<World> {
  const faults: FaultKind[] = [];
  const rig = await Rig.start({
    ...RATES,
    heartbeatIntervalMs: 0,
    heartbeatTimeoutMs: 0,
    handlers: [ECHO],
    channels: { 'room:{id}': ROOM },
    observers: [{ faulted: (_, kind) => void faults.push(kind) }],
    ...options,
  });
  return { rig, peer: rig.open(info, transport), faults };
}

function echo(peer: Peer, times: number, id?: string): void {
  for (let at = 0; at < times; at += 1) say(peer, { event: 'echo', data: at, id });
}

async function framesOf({ transport }: Peer): Promise<unknown[]> {
  await settled();
  return transport.frames.map((text) => JSON.parse(text) as unknown);
}

async function errorsOf(peer: Peer): Promise<unknown[]> {
  const frames = (await framesOf(peer)) as { readonly error?: unknown }[];
  return frames.flatMap(({ error }) => (error === undefined ? [] : [error]));
}

const tooMany = (retryAfterMs: number): object => ({
  code: 'rate_limited',
  message: 'too many messages',
  retryable: true,
  retryAfterMs,
});

describe('A connection over its message rate', () => {
  it('is answered to the burst, and refused at one more', async () => {
    const { peer, faults } = await start();

    echo(peer, 4, 'a');
    const before = await errorsOf(peer);
    echo(peer, 1, 'b');

    expect(before).toEqual([]);
    expect(await errorsOf(peer)).toEqual([tooMany(100)]);
    expect(faults).toEqual(['message_rate']);
  });

  it('is served again when it comes back after retryAfterMs, and not a millisecond earlier', async () => {
    const { peer, rig } = await start();
    echo(peer, 5, 'a');

    await rig.clock.advance(99);
    echo(peer, 1, 'b');
    await rig.clock.advance(1);
    echo(peer, 1, 'c');

    // Who comes too early gets a place behind the one that was promised.
    expect(await errorsOf(peer)).toEqual([tooMany(100), tooMany(101)]);
  });

  it('is told of each refused message when there is room for it', async () => {
    const { peer } = await start();

    echo(peer, 7, 'a');

    expect(await errorsOf(peer)).toEqual([tooMany(100), tooMany(200), tooMany(300)]);
  });

  it('gets an exception for a message without an id', async () => {
    const { peer } = await start();

    echo(peer, 5);

    expect((await framesOf(peer)).at(-1)).toEqual({
      event: 'exception',
      data: { status: 'error', code: 'rate_limited', message: 'too many messages', retryAfterMs: 100 },
    });
  });

  it('is told so at most once a second where it is plain', async () => {
    const { peer, rig } = await start({ maxRefusals: 1_000 }, { ours: false });
    const told = (): number => peer.transport.events.filter((event) => event === 'exception').length;

    echo(peer, 20);
    await settled();
    const first = told();
    await rig.clock.advance(999);
    echo(peer, 20);
    await settled();
    const second = told();
    await rig.clock.advance(1);
    echo(peer, 20);
    await settled();

    expect([first, second, told()]).toEqual([1, 1, 2]);
  });

  it.each([
    ['bad frames', '{'],
    ['empty frames', ''],
    ['pings', '{"event":"$ping"}'],
    ['pongs', '{"event":"$pong"}'],
    ['keep-alives', 'ping'],
    ['answers to nothing', '{"ack":1}'],
    ['unknown events', '{"event":"nobody"}'],
  ])('counts %s', async (_, text) => {
    const { peer } = await start({ maxRefusals: 1 });

    for (let at = 0; at < 4 + FORGIVEN; at += 1) peer.connection.receive(text);
    const { state } = peer.connection;
    peer.connection.receive(text);

    expect([state, peer.connection.state]).toEqual(['open', 'closing']);
  });

  it('counts pings below the protocol, and leaves those unanswered that are too many', async () => {
    const { peer } = await start({ maxRefusals: 1 });

    const answered = Array.from({ length: 5 + FORGIVEN }, () => peer.connection.receiveControl(4));

    expect(answered.filter(Boolean)).toHaveLength(4);
    expect(peer.connection.state).toBe('closing');
  });

  it('takes an answer that is waited for, all the same', async () => {
    const { peer, faults } = await start();
    const answer = peer.connection.request('ask', 1);
    await settled();
    const { id } = JSON.parse(peer.transport.frames.at(-1) ?? '') as { id: string };
    echo(peer, 4);

    say(peer, { ack: id, data: 'yes' });

    expect(await answer).toBe('yes');
    expect(faults).toEqual([]);
  });

  it('is left alone where the rate is off', async () => {
    const { peer, faults } = await start({ messagesPerSecond: 0 });

    echo(peer, 5_000, 'a');

    expect([await errorsOf(peer), faults]).toEqual([[], []]);
  });

  it('keeps its rate whatever others send', async () => {
    const { peer, rig } = await start();
    const other = rig.open();
    echo(peer, 5, 'a');

    echo(other, 4, 'a');

    expect(await errorsOf(other)).toEqual([]);
  });
});

describe('A connection over its byte rate', () => {
  const BYTES = { bytesPerSecond: 1_000, byteBurst: 300, messagesPerSecond: 0 };

  it('is answered to the burst, and refused at one byte more', async () => {
    const { peer, faults } = await start(BYTES);
    const text = '{"event":"echo","id":1}';

    peer.connection.receive(text, 299);
    peer.connection.receive(text, 1);
    const before = await errorsOf(peer);
    peer.connection.receive(text, 1);

    expect(before).toEqual([]);
    expect(await errorsOf(peer)).toEqual([{ ...tooMany(1), message: 'too many bytes' }]);
    expect(faults).toEqual(['byte_rate']);
  });

  it('is answered a message longer than the burst where it has been silent', async () => {
    const { peer } = await start(BYTES);

    peer.connection.receive('{"event":"echo","id":1}', 1_000);

    expect(await errorsOf(peer)).toEqual([]);
  });
});

describe('A connection that does not stop', () => {
  it('is closed with 4429 at the last refusal, and told when to come back', async () => {
    const { peer } = await start({ maxRefusals: 3 });

    echo(peer, 4 + FORGIVEN + 2);
    const { state } = peer.connection;
    echo(peer, 1);

    expect([state, peer.connection.state]).toEqual(['open', 'closing']);
    expect(peer.transport.calls).toEqual(['expel 4429 {"retryAfterMs":400}']);
  });

  it('is not closed where the refusals are further apart than refusalWindowMs', async () => {
    const { peer, rig } = await start({ maxRefusals: 2, refusalWindowMs: 1_000 });
    const passLimit = (): void => echo(peer, 4 + FORGIVEN + 1);
    passLimit();

    await rig.clock.advance(1_001);
    passLimit();
    const { state } = peer.connection;
    echo(peer, 1);

    expect([state, peer.connection.state]).toEqual(['open', 'closing']);
  });

  it('is closed where only the refusals of a time are within it', async () => {
    const { peer, rig } = await start({ maxRefusals: 2, refusalWindowMs: 1_000 });
    echo(peer, 4 + FORGIVEN + 1);

    await rig.clock.advance(1_000);
    echo(peer, 4 + FORGIVEN + 1);

    expect(peer.connection.state).toBe('closing');
  });

  it('is never closed while it waits as it is told', async () => {
    const { peer, rig } = await start({ maxRefusals: 1 });
    echo(peer, 4);

    for (let round = 0; round < 200; round += 1) {
      echo(peer, 2, 'a');
      // One after the other: the second is told to wait for 200 ms.
      await rig.clock.advance(200);
    }

    expect(peer.connection.state).toBe('open');
  });

  it('is ended where it goes on behind the close of another cause', async () => {
    const { peer } = await start({ maxRefusals: 1 });
    peer.connection.close(4_500, 'bad');

    echo(peer, 4 + FORGIVEN);
    const before = [...peer.transport.calls];
    echo(peer, 1);

    expect([before, peer.transport.calls]).toEqual([['end 4500 bad'], ['end 4500 bad', 'destroy']]);
  });
});

describe('A connection over its subscription rate', () => {
  const join = (peer: Peer, id: string): void =>
    say(peer, { event: '$subscribe', id, data: { channel: 'room:1' } });

  it('joins as many channels at once as it may be in, and is refused one more', async () => {
    const { peer, faults } = await start({ messagesPerSecond: 0, maxChannelsPerConnection: 3 });

    for (const id of ['a', 'b', 'c', 'd']) join(peer, id);

    expect(await errorsOf(peer)).toEqual([
      { ...tooMany(50), message: 'too many channels are joined in too short a time' },
    ]);
    expect(faults).toEqual(['subscription_rate']);
  });

  it('counts also those that are refused for another reason', async () => {
    const { peer, faults } = await start({ messagesPerSecond: 0 });

    for (const id of ['a', 'b', 'c']) say(peer, { event: '$subscribe', id, data: { channel: 'nobody' } });

    expect(faults).toEqual(['bad_request', 'bad_request', 'subscription_rate']);
  });

  it('is closed with 4429 where it does not stop', async () => {
    const { peer } = await start({ messagesPerSecond: 0, maxRefusals: 1 });

    for (let at = 0; at < 3 + FORGIVEN; at += 1) join(peer, `${at}`);

    expect(peer.transport.calls).toEqual(['expel 4429 {"retryAfterMs":100}']);
  });

  it('is never refused anything when it comes back with all its channels', async () => {
    const { rig } = await start({
      ...{ messagesPerSecond: undefined, messageBurst: undefined },
      maxChannelsPerConnection: 128,
      maxInFlight: 64,
    });
    const peer = rig.open();

    say(peer, { event: '$hello', id: 'h', data: { clientId: 'c'.repeat(22) } });
    for (let at = 0; at < 128; at += 1)
      say(peer, { event: '$subscribe', id: at, data: { channel: `room:${at}` } });
    for (let at = 0; at < 64; at += 1) say(peer, { event: 'echo', id: `m${at}` });

    expect(await errorsOf(peer)).toEqual([]);
  });
});

describe('The lane of a connection over its rate', () => {
  const LANE = { ...RATES, messageBurst: 5 };

  it('is parked: what waits runs in its order when there is room, and nothing is refused', async () => {
    const dedup = await startDedup({ ...LANE, maxInFlight: 3 });
    const peer = dedup.client();
    for (let at = 0; at < 4; at += 1) say(peer, { event: 'work', id: `${at}`, data: at });
    await settled();
    const timers = dedup.rig.clock.pendingTimers;

    for (let at = 4; at < 7; at += 1) say(peer, { event: 'work', id: `${at}`, data: at });
    await settled();
    const before = [...dedup.desk.runs];
    await dedup.rig.clock.advance(280);
    const early = [...dedup.desk.runs];
    await dedup.rig.clock.advance(20);

    expect([before, early]).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    expect(dedup.desk.runs).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(await answersOf(peer)).toEqual(
      Array.from({ length: 7 }, (_, at) => ({ ack: `${at}`, data: { done: at } })),
    );
    expect(dedup.rig.clock.pendingTimers).toBe(timers);
  });

  it('holds as many as maxInFlight, and refuses one more', async () => {
    const dedup = await startDedup(LANE);
    const peer = dedup.client();
    for (let at = 0; at < 4; at += 1) say(peer, { event: 'work', id: `${at}`, data: at });
    await settled();

    for (let at = 4; at < 7; at += 1) say(peer, { event: 'work', id: `${at}`, data: at });

    const errors = (await answersOf(peer)).filter((answer) => 'error' in (answer as object));
    expect(errors).toEqual([{ ack: '6', error: tooMany(300) }]);
  });

  it.each([
    ['of a concurrent handler', {}, 'beside'],
    ['of a plain connection', { ours: false }, 'work'],
  ])('does not keep a message %s, which is refused', async (_, info, event) => {
    const dedup = await startDedup(LANE);
    const peer = dedup.rig.open({ principal: 'ada', ...info });

    for (let at = 0; at < 6; at += 1) say(peer, { event, id: `${at}`, data: at });

    expect(dedup.desk.runs).toEqual([0, 1, 2, 3, 4]);
    expect((await answersOf(peer)).at(-1)).toEqual({ ack: '5', error: tooMany(100) });
  });

  it('is worked off when the node goes away', async () => {
    const dedup = await startDedup(LANE);
    const peer = dedup.client();
    for (let at = 0; at < 6; at += 1) say(peer, { event: 'work', id: `${at}`, data: at });
    await settled();
    const before = dedup.desk.runs.length;

    const shutdown = dedup.rig.engine.shutdown();
    await settled();
    const after = dedup.desk.runs.length;
    await dedup.rig.clock.advance(10_000);
    await shutdown;

    expect([before, after]).toEqual([4, 6]);
  });

  it('does not run what waits in it when its connection has ended', async () => {
    const dedup = await startDedup(LANE);
    const peer = dedup.client();
    for (let at = 0; at < 4; at += 1) say(peer, { event: 'work', id: `${at}`, data: at });
    await settled();
    const timers = dedup.rig.clock.pendingTimers;
    for (let at = 4; at < 6; at += 1) say(peer, { event: 'work', id: `${at}`, data: at });

    peer.transport.drop();
    await dedup.rig.clock.advance(10_000);

    expect(dedup.desk.runs).toEqual([0, 1, 2, 3]);
    expect(dedup.rig.clock.pendingTimers).toBe(timers);
  });
});

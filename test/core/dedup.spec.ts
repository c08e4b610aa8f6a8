import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, vi } from 'vitest';
import { ChannelsError } from '../../lib/core/errors.js';
import { MemoryDedupStore } from '../../lib/core/memory-dedup-store.js';
import { Deferred } from '../support/deferred.js';
import { answersOf, CLIENT, cut, reconnect, RemoteDedupStore, startDedup } from './dedup-rig.js';
import { say, settled } from './engine-rig.js';

const WORK = { event: 'work', id: 'm', data: { n: 1 } };
const DONE = { ack: 'm', data: { done: { n: 1 } } };

describe.each(['in memory', 'over a network'])('a copy of an acked message, its store %s', (where) => {
  async function start() {
    const clock = new TestClock();
    const dedup = where === 'in memory' ? undefined : new RemoteDedupStore(clock);
    return startDedup({ clock, dedup });
  }

  it('gets the stored answer on the same connection', async () => {
    const { client, desk } = await start();
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    expect(await answersOf(peer)).toEqual([DONE, DONE]);
    expect(desk.runs).toEqual([{ n: 1 }]);
  });

  it('gets the stored answer on the next connection of its client', async () => {
    const dedup = await start();
    const first = dedup.client();
    say(first, WORK);
    await settled();

    const second = await reconnect(dedup, first);
    say(second, WORK);

    expect(await answersOf(second)).toEqual([DONE]);
    expect(dedup.desk.runs).toHaveLength(1);
  });

  it('gets what the first gives, which ran when its connection was lost', async () => {
    const dedup = await start();
    const work = new Deferred<string>();
    dedup.desk.method = () => work.promise;
    const first = dedup.client();
    say(first, WORK);
    await settled();

    const second = await reconnect(dedup, first);
    say(second, WORK);
    const before = await answersOf(second);
    work.resolve('late');

    expect(before).toEqual([]);
    expect(await answersOf(second)).toEqual([{ ack: 'm', data: 'late' }]);
    expect(dedup.desk.runs).toHaveLength(1);
  });

  it('gets the answer that was stored while nobody was connected', async () => {
    const dedup = await start();
    const work = new Deferred<string>();
    dedup.desk.method = () => work.promise;
    const first = dedup.client();
    say(first, WORK);
    await settled();
    await cut(first);

    work.resolve('late');
    await settled();
    const second = dedup.client();
    say(second, WORK);

    expect(await answersOf(second)).toEqual([{ ack: 'm', data: 'late' }]);
    expect(dedup.desk.runs).toHaveLength(1);
  });

  it('gets a stored error, which is not retryable', async () => {
    const { client, desk } = await start();
    desk.method = () => Promise.reject(new ChannelsError('bad_request', 'no', { details: { field: 'n' } }));
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    const error = { code: 'bad_request', message: 'no', retryable: false, details: { field: 'n' } };
    expect(await answersOf(peer)).toEqual([
      { ack: 'm', error },
      { ack: 'm', error },
    ]);
    expect(desk.runs).toHaveLength(1);
  });

  it('runs where the handler raised a retryable error', async () => {
    const { client, desk } = await start();
    desk.method = () => {
      if (desk.runs.length === 1) throw new ChannelsError('unavailable', 'later');
      return 'done';
    };
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);
    say(peer, WORK);

    expect(await answersOf(peer)).toEqual([
      { ack: 'm', error: { code: 'unavailable', message: 'later', retryable: true } },
      { ack: 'm', data: 'done' },
      { ack: 'm', data: 'done' },
    ]);
    expect(desk.runs).toHaveLength(2);
  });

  it('runs in the place of the first, which it has waited for, where that raised a retryable error', async () => {
    const dedup = await start();
    const work = new Deferred<string>();
    dedup.desk.method = () => (dedup.desk.runs.length === 1 ? work.promise : 'done');
    const first = dedup.client();
    say(first, WORK);
    await settled();

    const second = await reconnect(dedup, first);
    say(second, WORK);
    await settled();
    work.reject(new ChannelsError('unavailable', 'later'));

    expect(await answersOf(second)).toEqual([{ ack: 'm', data: 'done' }]);
    expect(dedup.desk.runs).toHaveLength(2);
  });

  it('is refused with conflict where it has other data or another event, and harms nothing', async () => {
    const { client, desk } = await start();
    const peer = client();

    say(peer, WORK);
    say(peer, { ...WORK, data: { n: 2 } });
    say(peer, { ...WORK, event: 'other' });
    say(peer, { ...WORK, data: undefined });
    say(peer, WORK);

    const conflict = { ack: 'm', error: expect.objectContaining({ code: 'conflict', retryable: false }) };
    expect(await answersOf(peer)).toEqual([DONE, conflict, conflict, conflict, DONE]);
    expect(desk.runs).toHaveLength(1);
  });
});

describe('copies are told', () => {
  it('by content, whatever the order of the keys and the spaces', async () => {
    const { client, desk } = await startDedup();
    const peer = client();

    peer.connection.receive('{"event":"work","id":"m","data":{"a":1,"b":[{"c":2,"d":3}]}}');
    peer.connection.receive('{"id":"m","data":{"b":[ {"d":3.0,"c":2} ],"a":1},"event":"work"}');

    expect(await answersOf(peer)).toMatchObject([{ ack: 'm' }, { ack: 'm' }]);
    expect((await answersOf(peer)).some((answer) => 'error' in (answer as object))).toBe(false);
    expect(desk.runs).toHaveLength(1);
  });

  it.each([
    ['another order of items', { a: [1, 2] }, { a: [2, 1] }],
    ['a text for a number', { a: 1 }, { a: '1' }],
    ['null for nothing', null, undefined],
    ['an object for an array', [1], { 0: 1 }],
    ['a key more', { a: 1 }, { a: 1, b: null }],
  ])('apart by %s', async (_what, one, other) => {
    const { client } = await startDedup();
    const peer = client();

    say(peer, { event: 'work', id: 1, data: one });
    say(peer, { event: 'work', id: 1, data: other });

    expect(await answersOf(peer)).toMatchObject([{ ack: 1 }, { error: { code: 'conflict' } }]);
  });

  it('by the id as text, and each is answered under the id that it has sent', async () => {
    const { client, desk } = await startDedup();
    const peer = client();

    say(peer, { event: 'work', id: 1 });
    say(peer, { event: 'work', id: '1' });

    expect((await answersOf(peer)).map((answer) => (answer as { ack: unknown }).ack)).toEqual([1, '1']);
    expect(desk.runs).toHaveLength(1);
  });

  it.each([
    ['7', 7],
    ['007', '007'],
    ['-0', '-0'],
    ['0.1', '0.1'],
    ['1e+21', '1e+21'],
    ['NaN', 'NaN'],
    ['Infinity', 'Infinity'],
    ['9007199254740993', '9007199254740993'],
  ])('that is the text %j by the id %j, which is no number that the protocol has not', async (id, key) => {
    const dedup = new RemoteDedupStore(new TestClock());
    const claim = vi.spyOn(dedup, 'claim');
    const { client } = await startDedup({ dedup });

    say(client(), { event: 'work', id });
    await settled();

    expect(claim.mock.calls.map(([asked]) => asked.id)).toEqual([key]);
  });

  it.each([
    ['principal', { principal: 'bob' }],
    ['principal, which is none', { principal: '' }],
    ['client id', { clientId: 'd'.repeat(22) }],
    ['connection, where a client has given no id', { clientId: '' }],
  ])('apart by the %s', async (_what, other) => {
    const { client, desk } = await startDedup();

    for (const info of [{}, other]) say(client(info), WORK);
    await settled();

    expect(desk.runs).toHaveLength(2);
  });

  it('within a connection that has given no client id, and not beyond it', async () => {
    const { client, desk } = await startDedup();
    const [one, two] = [client({ clientId: '' }), client({ clientId: '' })];

    for (const peer of [one, one, two]) say(peer, WORK);

    expect([await answersOf(one), await answersOf(two)]).toEqual([[DONE, DONE], [DONE]]);
    expect(desk.runs).toHaveLength(2);
  });

  it('of an anonymous client by its client id alone', async () => {
    const dedup = await startDedup();
    const first = dedup.client({ principal: '' });
    say(first, WORK);

    await cut(first);
    const second = dedup.client({ principal: '' });
    say(second, WORK);

    expect(await answersOf(second)).toEqual([DONE]);
    expect(dedup.desk.runs).toHaveLength(1);
  });

  it('on any node that shares the store', async () => {
    const clock = new TestClock();
    const dedup = new MemoryDedupStore({ clock, maxBytes: 10_000, maxBytesPerPrincipal: 10_000 });
    const nodes = [await startDedup({ clock, dedup }), await startDedup({ clock, dedup, seed: 2 })] as const;
    const work = new Deferred<string>();
    nodes[0].desk.method = () => work.promise;
    say(nodes[0].client(), WORK);

    const peer = nodes[1].client();
    say(peer, WORK);
    await settled();
    work.resolve('from the other node');

    expect(await answersOf(peer)).toEqual([{ ack: 'm', data: 'from the other node' }]);
    expect(nodes[1].desk.runs).toEqual([]);
  });

  it('from nothing without an id: it runs each time', async () => {
    const { client, desk } = await startDedup();
    const peer = client();

    say(peer, { event: 'work', data: 1 });
    say(peer, { event: 'work', data: 1 });
    await settled();

    expect(desk.runs).toEqual([1, 1]);
  });

  it('not by a handler that is not acked: it runs for every copy', async () => {
    const { client, desk } = await startDedup();
    let runs = 0;
    desk.method = () => ++runs;
    const peer = client();

    say(peer, { event: 'plain', id: 'm' });
    say(peer, { event: 'plain', id: 'm' });

    expect(await answersOf(peer)).toEqual([
      { ack: 'm', data: 1 },
      { ack: 'm', data: 2 },
    ]);
  });

  it('of a concurrent handler as of any other', async () => {
    const { client, desk } = await startDedup();
    const work = new Deferred<string>();
    desk.method = () => work.promise;
    const peer = client();

    say(peer, { event: 'beside', id: 'm' });
    say(peer, { event: 'beside', id: 'm' });
    work.resolve('once');

    expect(await answersOf(peer)).toEqual([
      { ack: 'm', data: 'once' },
      { ack: 'm', data: 'once' },
    ]);
    expect(desk.runs).toHaveLength(1);
  });
});

describe('the answer of an acked handler', () => {
  it('leaves without a promise where the handler gives it at once', async () => {
    const { client } = await startDedup();
    const peer = client();

    say(peer, WORK);
    peer.connection.outbox.flush();

    expect(peer.transport.frames.at(-1)).toBe(JSON.stringify(DONE));
  });

  it('leaves only when it is stored', async () => {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    const { client } = await startDedup({ clock, dedup });
    const stored = new Deferred();
    dedup.holds.set('resolve', stored);
    const peer = client();

    say(peer, WORK);
    const before = await answersOf(peer);
    stored.resolve();

    expect(before).toEqual([]);
    expect(await answersOf(peer)).toEqual([DONE]);
  });

  it('is reported as repeated where it is', async () => {
    const acks: string[] = [];
    const observer = {
      acked: (_: unknown, event: string, outcome: string) => void acks.push(`${event} ${outcome}`),
    };
    const { client } = await startDedup({ observers: [observer] });
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    expect(acks).toEqual(['work done', 'work repeated']);
  });

  it('belongs to its client id alone: the welcome comes first', async () => {
    const { client } = await startDedup();
    const peer = client({ clientId: '' });
    say(peer, WORK);

    say(peer, { event: '$hello', id: 'h', data: { clientId: CLIENT } });

    expect(await answersOf(peer)).toMatchObject([DONE, { ack: 'h', error: { code: 'bad_request' } }]);
  });
});

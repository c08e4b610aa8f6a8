import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { ChannelsError } from '../../lib/core/errors.js';
import { Deferred } from '../support/deferred.js';
import { answersOf, RemoteDedupStore, startDedup } from './dedup-rig.js';
import { say, settled } from './engine-rig.js';

const ENTRY_BYTES = 512;
const CLIENT_BYTES = 384;
const WORK = { event: 'work', id: 'm' };

describe('the answer that is stored', () => {
  it('may be as long as maxMessageBytes, in bytes of JSON', async () => {
    const { client, desk } = await startDedup({ maxMessageBytes: 1_000 });
    const text = `${'\u00e9'.repeat(400)}${'x'.repeat(198)}`;
    desk.method = () => text;
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    expect(await answersOf(peer)).toEqual([
      { ack: 'm', data: text },
      { ack: 'm', data: text },
    ]);
  });

  it('is payload_too_large one byte beyond, for every copy, and the handler runs once', async () => {
    const { client, desk } = await startDedup({ maxMessageBytes: 1_000 });
    desk.method = () => `${'\u00e9'.repeat(400)}${'x'.repeat(199)}`;
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    const answer = {
      ack: 'm',
      error: { code: 'payload_too_large', message: 'the answer is longer than 1000 bytes', retryable: false },
    };
    expect(await answersOf(peer)).toEqual([answer, answer]);
    expect(desk.runs).toHaveLength(1);
  });

  it.each([
    ['maxDedupBytesPerPrincipal', 200],
    ['maxDedupBytesPerPrincipal', 201],
    ['maxDedupBytes', 200],
    ['maxDedupBytes', 201],
  ])(
    'is payload_too_large where %s has no room for it, beside its entry: %i of 200',
    async (option, bytes) => {
      const evicted: number[] = [];
      const { client, desk } = await startDedup({
        [option]: CLIENT_BYTES + ENTRY_BYTES + 200,
        observers: [{ evicted: (count) => evicted.push(count) }],
      });
      const text = 'x'.repeat(bytes - 2);
      desk.method = () => text;
      const peer = client();

      say(peer, WORK);
      say(peer, WORK);

      const answer =
        bytes <= 200 ? { ack: 'm', data: text } : { ack: 'm', error: { code: 'payload_too_large' } };
      expect(await answersOf(peer)).toMatchObject([answer, answer]);
      expect([desk.runs.length, evicted]).toEqual([1, []]);
    },
  );

  it('is bounded by maxMessageBytes alone where the store names no bound', async () => {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    const { client, desk } = await startDedup({ clock, dedup, maxDedupBytes: CLIENT_BYTES + ENTRY_BYTES });
    desk.method = () => 'done';
    const peer = client();

    say(peer, WORK);

    expect(await answersOf(peer)).toEqual([{ ack: 'm', data: 'done' }]);
  });

  it('of an error loses its text and details where they are longer', async () => {
    const { client, desk } = await startDedup({ maxMessageBytes: 1_000 });
    desk.method = () => {
      throw new ChannelsError('bad_request', 'no', { details: 'x'.repeat(1_000) });
    };
    const peer = client();

    say(peer, WORK);

    const error = { code: 'bad_request', message: 'an error longer than 1000 bytes', retryable: false };
    expect(await answersOf(peer)).toEqual([{ ack: 'm', error }]);
  });

  it('of a shortened error stays final where it was raised as final', async () => {
    const { client, desk } = await startDedup({ maxMessageBytes: 1_000 });
    desk.method = () => {
      throw new ChannelsError('unavailable', 'no', { retryable: false, details: 'x'.repeat(1_000) });
    };
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    const error = { code: 'unavailable', message: 'an error longer than 1000 bytes', retryable: false };
    expect(await answersOf(peer)).toEqual([
      { ack: 'm', error },
      { ack: 'm', error },
    ]);
    expect(desk.runs).toHaveLength(1);
  });

  it('is internal, for every copy, where the result has no JSON', async () => {
    const { client, desk } = await startDedup();
    desk.method = () => ({ big: 1n });
    const peer = client();

    say(peer, WORK);
    say(peer, WORK);

    const internal = { ack: 'm', error: expect.objectContaining({ code: 'internal' }) };
    expect(await answersOf(peer)).toEqual([internal, internal]);
    expect(desk.runs).toHaveLength(1);
  });

  it('of an error leaves out details that have no JSON, and that is reported', async () => {
    const { client, desk, rig } = await startDedup();
    desk.method = () => {
      throw new ChannelsError('bad_request', 'no', { details: 1n });
    };
    const peer = client();

    say(peer, WORK);

    expect(await answersOf(peer)).toEqual([
      { ack: 'm', error: { code: 'bad_request', message: 'no', retryable: false } },
    ]);
    expect(rig.journal.failures).toEqual(['work']);
  });
});

describe('the room for answers', () => {
  it('is bounded per principal: what goes early is told to observers', async () => {
    const evicted: number[] = [];
    const { client, desk } = await startDedup({
      maxDedupBytesPerPrincipal: CLIENT_BYTES + 2 * (ENTRY_BYTES + 4),
      observers: [{ evicted: (count) => evicted.push(count) }],
    });
    desk.method = () => 'ok';
    const peer = client();

    for (const id of ['1', '2']) say(peer, { event: 'work', id });
    const atTheLimit = [...evicted];
    say(peer, { event: 'work', id: '3' });
    for (const id of ['3', '2']) say(peer, { event: 'work', id });
    const kept = desk.runs.length;
    say(peer, { event: 'work', id: '1' });

    expect([atTheLimit, evicted]).toEqual([[], [1, 1]]);
    expect([kept, desk.runs.length]).toEqual([3, 4]);
  });

  it('is bounded for everybody', async () => {
    const evicted: number[] = [];
    const { client } = await startDedup({
      maxDedupBytes: 2 * (CLIENT_BYTES + ENTRY_BYTES) + 100,
      observers: [{ evicted: (count) => evicted.push(count) }],
    });

    for (const principal of ['ada', 'bob']) say(client({ principal }), WORK);
    const atTheLimit = [...evicted];
    say(client({ principal: 'cyd' }), WORK);

    expect([atTheLimit, evicted]).toEqual([[], [1]]);
  });

  it('is refused with rate_limited where nothing but running handlers is left, and the lane goes on', async () => {
    const { client, desk } = await startDedup({
      maxDedupBytesPerPrincipal: CLIENT_BYTES + 2 * ENTRY_BYTES + 100,
    });
    const work = new Deferred<string>();
    desk.method = () => work.promise;
    const peer = client();

    for (const id of ['1', '2', '3']) say(peer, { event: 'beside', id });
    const refused = await answersOf(peer);
    work.resolve('ok');
    await settled();
    say(peer, { event: 'beside', id: '3' });

    expect(refused).toEqual([
      {
        ack: '3',
        error: {
          code: 'rate_limited',
          message: 'too many handlers run',
          retryable: true,
          retryAfterMs: 1_000,
        },
      },
    ]);
    expect((await answersOf(peer)).at(-1)).toEqual({ ack: '3', data: 'ok' });
  });
});

describe('a store that is away', () => {
  async function start(failing: string) {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    dedup.failing.add(failing);
    return { dedup, ...(await startDedup({ clock, dedup })) };
  }

  it('lets nothing run whose copies it cannot know: unavailable, and reported', async () => {
    const { dedup, client, desk, rig } = await start('claim');
    const peer = client();

    say(peer, WORK);
    await settled();
    dedup.failing.clear();
    say(peer, WORK);

    expect(await answersOf(peer)).toMatchObject([
      { ack: 'm', error: { code: 'unavailable', retryable: true } },
      { ack: 'm', data: {} },
    ]);
    expect([desk.runs.length, rig.journal.failures]).toEqual([1, ['work']]);
  });

  it('does not keep the answer from the peer where it cannot be stored', async () => {
    const { client, rig } = await start('resolve');
    const peer = client();

    say(peer, { ...WORK, data: 1 });

    expect(await answersOf(peer)).toEqual([{ ack: 'm', data: { done: 1 } }]);
    expect(rig.journal.failures).toEqual(['work']);
  });

  it('does not keep a retryable error from the peer where the claim cannot be freed', async () => {
    const { client, desk, rig } = await start('release');
    desk.method = () => Promise.reject(new ChannelsError('unavailable', 'later'));
    const peer = client();

    say(peer, WORK);

    expect(await answersOf(peer)).toMatchObject([{ ack: 'm', error: { code: 'unavailable' } }]);
    expect(rig.journal.failures).toEqual(['work']);
  });

  it('does not keep the node from its shutdown', async () => {
    const { rig } = await start('close');

    await rig.engine.shutdown();

    expect(rig.journal.failures).toEqual(['dedupStore.close']);
  });
});

describe('a shutdown', () => {
  it('lets the answer be stored before the store is closed', async () => {
    const clock = new TestClock();
    const dedup = new RemoteDedupStore(clock);
    const { rig, client, desk } = await startDedup({ clock, dedup });
    const work = new Deferred<string>();
    desk.method = () => work.promise;
    const peer = client();
    say(peer, WORK);
    await settled();

    const shutdown = rig.engine.shutdown();
    work.resolve('done');
    await shutdown;

    expect(dedup.calls).toEqual(['start', 'claim', 'resolve', 'close']);
    expect(await answersOf(peer)).toEqual([{ ack: 'm', data: 'done' }]);
  });
});

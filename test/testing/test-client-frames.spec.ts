import { describe, expect, it } from 'vitest';
import { ConnectionClosed } from '../../lib/testing/test-client.js';
import { connected, delivered, SHORT_MS } from './client-rig.js';

describe('TestClient frames', () => {
  it('parses JSON, keeps other text as it is and binary as bytes', async () => {
    const { client, server } = await connected();

    server.send('{"event":"a"}');
    server.send('ping');
    server.send('');
    server.send(Buffer.from('{"event":"binary"}'));
    const frames = [await client.next(), await client.next(), await client.next(), await client.next()];

    expect(frames).toEqual([{ event: 'a' }, 'ping', '', Buffer.from('{"event":"binary"}')]);
    expect(client.frames).toEqual(frames);
  });
});

describe('TestClient.next', () => {
  it('returns each frame once, in order, whether it came before or after', async () => {
    const { client, server } = await delivered([{ n: 1 }, { n: 2 }]);

    const early = [await client.next(), await client.next()];
    const waiting = [client.next(), client.next()];
    server.send('{"n":3}');
    server.send('{"n":4}');

    expect([...early, ...(await Promise.all(waiting))]).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  });

  it('rejects on timeout with the frames that did arrive', async () => {
    const { client } = await delivered([{ event: 'a' }, { event: 'b', data: 7 }], { timeoutMs: SHORT_MS });

    const timeout = client.waitFor({ event: 'c' });

    await expect(timeout).rejects.toThrow(
      `Waited ${SHORT_MS} ms for a frame that matches { event: 'c' } in vain. 2 arrived, 2 of them not consumed`,
    );
    await expect(timeout).rejects.toThrow("{ event: 'b', data: 7 }");
  });

  it('says when nothing arrived at all', async () => {
    const { client } = await connected({ timeoutMs: SHORT_MS });

    await expect(client.next()).rejects.toThrow('No frame arrived.');
  });

  it('rejects with code and reason when the connection closes', async () => {
    const { client, server } = await connected();

    const waiting = client.next();
    server.close(4503, 'forbidden');

    await expect(waiting).rejects.toBeInstanceOf(ConnectionClosed);
    await expect(waiting).rejects.toMatchObject({ code: 4503, reason: 'forbidden' });
    await expect(waiting).rejects.toThrow('closed with 4503 "forbidden" while waiting for the next frame');
  });

  it('returns what came before the close, then rejects', async () => {
    const { client, server } = await connected();

    server.send('{"event":"last"}');
    server.close(4000);
    await client.closed;

    expect(await client.next()).toEqual({ event: 'last' });
    await expect(client.next()).rejects.toMatchObject({ code: 4000 });
  });
});

describe('TestClient.waitFor', () => {
  it('consumes the matching frame only', async () => {
    const { client } = await delivered([{ event: 'a' }, { event: 'b' }, { event: 'c' }]);

    const matched = await client.waitFor({ event: 'b' });

    expect(matched).toEqual({ event: 'b' });
    expect([await client.next(), await client.next()]).toEqual([{ event: 'a' }, { event: 'c' }]);
  });

  it('waits for a frame that is yet to come', async () => {
    const { client, server } = await delivered([{ event: 'a' }]);

    const waiting = client.waitFor({ event: 'b' });
    server.send('{"event":"x"}');
    server.send('{"event":"b","data":1}');

    expect(await waiting).toEqual({ event: 'b', data: 1 });
    expect(await client.next()).toEqual({ event: 'a' });
  });

  it('gives equal frames to equal waits, one each', async () => {
    const { client } = await delivered([
      { event: 'tick', n: 1 },
      { event: 'tick', n: 2 },
    ]);

    const ticks = await Promise.all([client.waitFor({ event: 'tick' }), client.waitFor({ event: 'tick' })]);

    expect(ticks.map((tick) => tick.n)).toEqual([1, 2]);
  });

  it('is asked before a next() that waits longer', async () => {
    const { client, server } = await connected();

    const next = client.next();
    const wanted = client.waitFor({ event: 'wanted' });
    server.send('{"event":"wanted"}');
    server.send('{"event":"other"}');

    expect(await Promise.all([next, wanted])).toEqual([{ event: 'other' }, { event: 'wanted' }]);
  });

  it.each([
    [
      'a part at depth',
      { data: { user: { id: 1 } } },
      { event: 'e', data: { user: { id: 1, name: 'x' }, n: 2 } },
    ],
    ['a whole array', { data: [{ a: 1 }, 2] }, { data: [{ a: 1, b: 2 }, 2] }],
    ['null', { data: null }, { data: null }],
    ['a missing member as undefined', { ack: 1, error: undefined }, { ack: 1 }],
    ['an inherited member as missing', { data: { toString: undefined } }, { data: {} }],
    ['an array as the frame', [1], [1]],
  ])('matches %s', async (_what, partial, frame) => {
    const { client } = await delivered([frame]);

    expect(await client.waitFor(partial)).toEqual(frame);
  });

  it.each([
    ['another value', { data: 1 }, { data: 2 }],
    ['another type', { data: 1 }, { data: '1' }],
    ['a missing member', { data: { a: 1 } }, { data: {} }],
    ['a longer array', { data: [1] }, { data: [1, 2] }],
    ['an object for an array', { data: [] }, { data: {} }],
    ['an array for an object', { data: {} }, { data: [] }],
    ['null for an object', { data: {} }, { data: null }],
    ['an error where none is wanted', { ack: 1, error: undefined }, { ack: 1, error: {} }],
    ['text', { length: 4 }, 'ping'],
  ])('does not match %s', async (_what, partial, frame) => {
    const { client } = await delivered([frame]);

    const waiting = client.waitFor(partial);
    client.terminate();

    await expect(waiting).rejects.toThrow('while waiting for a frame that matches {');
    expect(await client.next()).toEqual(frame);
  });

  it('rejects with what the predicate throws and keeps the frame', async () => {
    const { client, server } = await connected();
    const waiting = client.waitFor(() => {
      throw new Error('broken predicate');
    });

    server.send('{"n":1}');

    await expect(waiting).rejects.toThrow('broken predicate');
    expect(await client.next()).toEqual({ n: 1 });
  });
});

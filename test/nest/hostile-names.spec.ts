import { describe, expect, it } from 'vitest';
import { exceptionOf, expectUnharmed, startHostile } from '../support/hostile-rig.js';

const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'valueOf'];

describe('a name that every object inherits', () => {
  it.each(INHERITED)('is an event like any other: %s', async (event) => {
    const rig = await startHostile();

    const answer = await rig.client.request(event, { any: 'data' }, { id: 1 });

    expect(answer).toMatchObject({ ack: 1, error: { code: 'unknown_event', retryable: false } });
    await expectUnharmed(rig);
  });

  it.each(INHERITED.filter((name) => name !== '__proto__'))('is a key like any other: %s', async (name) => {
    const rig = await startHostile();
    const text = `{"event":"echo","id":1,"${name}":1,"data":{"${name}":{"${name}":[1]}}}`;

    rig.client.sendRaw(text);
    const answer = await rig.client.next();

    expect(JSON.stringify(answer)).toBe(`{"ack":1,"data":{"${name}":{"${name}":[1]}}}`);
    await expectUnharmed(rig);
  });

  it.each(INHERITED)('is an id like any other: %s', async (id) => {
    const rig = await startHostile();

    const answer = await rig.client.request('echo', 1, { id });

    expect(answer).toEqual({ ack: id, data: 1 });
    await expectUnharmed(rig);
  });

  it.each(INHERITED)('is a channel that nobody has: %s', async (channel) => {
    const rig = await startHostile();

    const [subscribed, left] = [await rig.client.subscribe(channel), await rig.client.unsubscribe(channel)];

    expect(subscribed.error?.code).toBe('unknown_channel');
    expect(left.error?.code).toBe('not_subscribed');
    await expectUnharmed(rig);
  });

  it.each(INHERITED)('is a parameter of a channel like any other: %s', async (name) => {
    const rig = await startHostile();

    const answer = await rig.client.subscribe(`room:${name}`);

    expect(answer.data).toEqual({ channel: `room:${name}` });
    await expectUnharmed(rig);
  });
});

describe('the key __proto__', () => {
  it.each([
    ['in the frame', '{"event":"echo","id":1,"__proto__":{}}'],
    ['in the data', '{"event":"echo","id":1,"data":{"__proto__":{"admin":true}}}'],
    ['deep in the data', '{"event":"echo","id":1,"data":[{"a":[{"__proto__":1}]}]}'],
    ['with an escaped underscore', '{"event":"echo","id":1,"data":{"\\u005f_proto__":1}}'],
    ['with an escaped underscore in capitals', '{"event":"echo","id":1,"data":{"_\\u005Fproto__":1}}'],
    ['with an escaped letter', '{"event":"echo","id":1,"data":{"__\\u0070roto__":1}}'],
    ['with all letters escaped', `{"event":"echo","id":1,"data":{"${escaped('__proto__')}":1}}`],
    ['twice', '{"event":"echo","id":1,"data":{"__proto__":1,"__proto__":2}}'],
  ])('is answered bad_request %s', async (_, text) => {
    const rig = await startHostile();

    rig.client.sendRaw(text);

    expect(await rig.client.next()).toEqual({
      ack: 1,
      error: { code: 'bad_request', message: expect.any(String), retryable: false },
    });
    await expectUnharmed(rig);
  });

  it('is told by an exception where the frame has no id', async () => {
    const rig = await startHostile();

    rig.client.sendRaw('{"event":"echo","data":{"__proto__":1}}');

    expect(await rig.client.next()).toEqual(exceptionOf('bad_request'));
  });

  it.each([
    '{"event":"echo","id":1,"data":"__proto__"}',
    '{"event":"echo","id":1,"data":["\\u005f_proto__"]}',
  ])('is a value like any other: %s', async (text) => {
    const { client } = await startHostile();

    client.sendRaw(text);

    expect(await client.next()).toEqual({ ack: 1, data: (JSON.parse(text) as { data: unknown }).data });
  });
});

function escaped(text: string): string {
  return [...text].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join('');
}

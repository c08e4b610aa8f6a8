import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, JsonCodec } from '../../lib/codec/index.js';

const codec = new JsonCodec(4);

function decodeError(message: string | Uint8Array): DecodeError {
  try {
    codec.decode(message);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
  throw new Error(`${String(message)} was accepted`);
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

describe('JsonCodec.decode', () => {
  it('names its subprotocol', () => {
    expect(codec.subprotocol).toBe('nestjs-channels.v1.json');
  });

  it('reads text and bytes alike', () => {
    const any = new JsonCodec(100);
    const readable = fc
      .jsonValue({ maxDepth: 5 })
      .filter((value) => !JSON.stringify(value).includes('__proto__'));

    fc.assert(
      fc.property(readable, (value) => {
        const text = JSON.stringify(value);

        expect(any.decode(text)).toEqual(JSON.parse(text));
        expect(any.decode(bytes(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(['', '{', '{"a":1,}', 'undefined', "{'a':1}", '[1]x', 'NaN'])(
    'refuses %j, which is no JSON',
    (text) => {
      expect(decodeError(text)).toMatchObject({ code: 'bad_frame', message: 'a message must be JSON' });
    },
  );

  it('refuses bytes that are no UTF-8', () => {
    expect(decodeError(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ code: 'bad_frame' });
  });

  it('does not repeat what was sent', () => {
    expect(decodeError('{"password":"hunter2"').message).not.toContain('hunter2');
  });

  it.each(['[[[[]]]]', '{"a":{"b":{"c":{}}}}'])('reads %s, which is nested as deep as the limit', (text) => {
    expect(codec.decode(text)).toEqual(JSON.parse(text));
  });

  it.each(['[[[[[]]]]]', '{"a":{"b":{"c":{"d":{}}}}}', '[[[[[[[[[[[['])(
    'refuses %s, nested one deeper',
    (text) => {
      expect(decodeError(text)).toMatchObject({ code: 'bad_frame', message: 'nested deeper than 4 levels' });
    },
  );

  it.each([
    '{"__proto__":1}',
    '[{"a":{"__proto__":null}}]',
    '{"\\u005f_proto__":1}',
    '{"__pr\\u006fto__":1}',
    '{"__proto_\\u005F":1}',
  ])('refuses the key of %s, and hands out what it has read', (text) => {
    const { code, value } = decodeError(text);

    expect(code).toBe('bad_request');
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
  });

  it.each([
    '"__proto__"',
    '["__proto__"]',
    '{"a":"__proto__"}',
    '{"a":"\\u005f"}',
    '{"__proto":1,"constructor":2}',
  ])('reads %s, where it is no key', (text) => {
    expect(codec.decode(text)).toEqual(JSON.parse(text));
  });

  it('pollutes no prototype', () => {
    decodeError('{"__proto__":{"polluted":true}}');

    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('JsonCodec.encode', () => {
  it('writes what JSON.stringify would write', () => {
    const any = new JsonCodec(100);
    const anyData = fc.oneof(fc.jsonValue(), fc.constant(undefined));

    fc.assert(
      fc.property(fc.string(), anyData, fc.oneof(fc.string(), fc.integer()), (event, data, id) => {
        expect(any.encodeEvent(event, data)).toBe(JSON.stringify({ event, data }));
        expect(any.encodeAck(id, data, false)).toBe(JSON.stringify({ ack: id, data }));
        expect(any.encodeAck(id, data, true)).toBe(JSON.stringify({ ack: id, data, more: true }));
        expect(any.encodeValue(data)).toBe(JSON.stringify(data));
      }),
    );
  });

  it.each([
    ['undefined', undefined],
    ['a function', (): void => {}],
    ['a symbol', Symbol('s')],
    ['a toJSON that gives nothing', { toJSON: () => undefined }],
  ])('leaves data out that has no JSON: %s', (_, data) => {
    expect(codec.encodeEvent('e', data)).toBe('{"event":"e"}');
    expect(codec.encodeAck(1, data, true)).toBe('{"ack":1,"more":true}');
  });

  it('puts data that is encoded already into a publication', () => {
    expect(codec.encodePublication('c:1', 'e', '{"a":[1]}')).toBe(
      '{"channel":"c:1","event":"e","data":{"a":[1]}}',
    );
    expect(codec.encodePublication('c:1', 'e', undefined)).toBe('{"channel":"c:1","event":"e"}');
  });

  it.each([
    [
      codec.encodePublication('c:1', 'e', '{"a":[1]}', 7),
      { channel: 'c:1', event: 'e', data: { a: [1] }, offset: 7 },
    ],
    [codec.encodePublication('c:1', 'e', undefined), { channel: 'c:1', event: 'e' }],
  ])('writes into a publication how many were dropped: %s', (publication, members) => {
    expect(JSON.parse(codec.markDropped(publication, 3))).toEqual({ ...members, dropped: 3 });
  });

  it('writes an error without the members that it has not', () => {
    const error = { code: 'timeout', message: 'm', retryable: true, details: undefined } as const;

    expect(codec.encodeError('a', error)).toBe(
      '{"ack":"a","error":{"code":"timeout","message":"m","retryable":true}}',
    );
  });

  it.each([
    ['a circle', [] as unknown[]],
    ['a BigInt', [1n]],
  ])('throws on %s', (_, data) => {
    if (data.length === 0) data.push(data);

    expect(() => codec.encodeEvent('e', data)).toThrow(TypeError);
    expect(() => codec.encodeAck(1, data, false)).toThrow(TypeError);
    expect(() => codec.encodeValue(data)).toThrow(TypeError);
  });
});

describe('nesting of what is written', () => {
  it.each([
    ['an event', (data: unknown) => codec.encodeEvent('e', data), [[[1]]], [[[[1]]]]],
    ['a request', (data: unknown) => codec.encodeRequest('e', data, 1), [[[1]]], [[[[1]]]]],
    ['an ack', (data: unknown) => codec.encodeAck(1, data, false), [[[1]]], [[[[1]]]]],
    ['data', (data: unknown) => codec.encodeData(data), [[[1]]], [[[[1]]]]],
    ['a value', (data: unknown) => codec.encodeValue(data), [[[[1]]]], [[[[[1]]]]]],
  ])('goes as deep as it may be read: %s', (_, encode, deepest, deeper) => {
    expect(encode(deepest)).toContain(JSON.stringify(deepest));
    expect(() => encode(deeper)).toThrow('maxNesting');
  });

  it('bounds the details of an error', () => {
    const error = { code: 'internal', message: '', retryable: false } as const;

    expect(codec.encodeError(1, { ...error, details: [[1]] })).toContain('[[1]]');
    expect(() => codec.encodeError(1, { ...error, details: [[[1]]] })).toThrow('maxNesting');
  });
});

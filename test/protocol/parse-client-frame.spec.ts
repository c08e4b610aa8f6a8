import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMessageId, MAX_ID_LENGTH, parseClientFrame } from '../../lib/protocol/index.js';

const parseText = (text: string): unknown => parseClientFrame(JSON.parse(text));

describe('parseClientFrame', () => {
  it.each([
    { event: 'chat.send' },
    { event: 'chat.send', data: { text: 'hi' } },
    { event: 'chat.send', data: null, id: 'k2fQ' },
    { event: '', data: 1, id: '' },
    { event: '$ping' },
    { event: 'chat.send', id: 0 },
    { ack: 'k2fQ' },
    { ack: 7, data: [1] },
    { ack: 7, error: { code: 'internal' } },
  ])('reads %j as it is', (value) => {
    expect(parseClientFrame(value)).toBe(value);
  });

  it('leaves fields alone that it does not know', () => {
    const value = { event: 'chat.send', trace: 'abc', more: true };

    expect(parseClientFrame(value)).toBe(value);
  });

  it('reads a frame with an event as an event, also when it has an ack', () => {
    const value = { event: 'chat.send', ack: {} };

    expect(parseClientFrame(value)).toBe(value);
  });

  it.each([undefined, null, true, false, 0, 1.5, '', 'ping', [], [{ event: 'a' }], Symbol('a'), () => ({})])(
    'refuses what is no object: %s',
    (value) => {
      expect(parseClientFrame(value)).toBe('a frame must be an object');
    },
  );

  it.each<unknown>([null, true, 0, 1, [], ['a'], {}, { toString: 'a' }])(
    'refuses %j as an event',
    (event) => {
      expect(parseClientFrame({ event })).toBe('the event of a frame must be a string');
      expect(parseClientFrame({ event, ack: 1 })).toBe('the event of a frame must be a string');
    },
  );

  it.each([null, true, false, [], ['a'], {}, 1.5, -0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses %s as an id and as an ack',
    (id) => {
      expect(parseClientFrame({ event: 'a', id })).toMatch(/^the id of a frame must be/);
      expect(parseClientFrame({ ack: id })).toBe('the event of a frame must be a string');
    },
  );

  it('refuses an object with neither event nor ack', () => {
    expect(parseClientFrame({})).toBe('the event of a frame must be a string');
    expect(parseClientFrame({ data: 1, id: 1 })).toBe('the event of a frame must be a string');
    expect(parseClientFrame({ type: 'ping' })).toBe('the event of a frame must be a string');
  });

  it('takes a string id of up to 64 characters', () => {
    const longest = { event: 'a', id: 'x'.repeat(MAX_ID_LENGTH) };

    expect(parseClientFrame(longest)).toBe(longest);
    expect(parseClientFrame({ event: 'a', id: 'x'.repeat(MAX_ID_LENGTH + 1) })).toMatch(
      /at most 64 characters/,
    );
  });

  it('takes a number id that is a safe integer', () => {
    expect(isMessageId(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(isMessageId(Number.MIN_SAFE_INTEGER)).toBe(true);
    expect(isMessageId(-1)).toBe(true);
    expect(isMessageId(Number.MAX_SAFE_INTEGER + 1)).toBe(false);
    expect(isMessageId(Number.MIN_SAFE_INTEGER - 1)).toBe(false);
    expect(isMessageId(1n)).toBe(false);
    expect(parseText('{"event":"a","id":1e400}')).toMatch(/^the id of a frame must be/);
    expect(parseText('{"event":"a","id":9007199254740993}')).toMatch(/^the id of a frame must be/);
  });

  it('reads nothing from a prototype that the text names', () => {
    expect(parseText('{"__proto__":{"event":"a"}}')).toBe('the event of a frame must be a string');
    expect(parseText('{"__proto__":{"id":{}},"event":"a"}')).toMatchObject({ event: 'a' });
    expect(parseText('{"__proto__":{"ack":1}}')).toBe('the event of a frame must be a string');
    expect(({} as Record<string, unknown>).event).toBeUndefined();
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s as the name of an event',
    (event) => {
      expect(parseClientFrame({ event })).toEqual({ event });
    },
  );

  it('gives back the value itself or a sentence, whatever the value', () => {
    const field = fc.oneof(fc.jsonValue(), fc.string({ maxLength: 70, size: 'max' }), fc.maxSafeInteger());
    const value = fc.oneof(
      fc.jsonValue(),
      fc.record({ event: field, id: field, ack: field, data: field }, { requiredKeys: [] }),
    );

    fc.assert(
      fc.property(value, (sent) => {
        const frame = parseClientFrame(sent);
        if (typeof frame === 'string') return frame.length > 0;
        if (frame !== sent) return false;
        return 'event' in frame ? typeof frame.event === 'string' : isMessageId(frame.ack);
      }),
    );
  });
});

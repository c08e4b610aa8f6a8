import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isChannelName, MAX_CHANNEL_NAME_LENGTH } from '../../lib/protocol/index.js';

const ALLOWED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@=+~-';

describe('isChannelName', () => {
  it.each([...ALLOWED])('accepts %s anywhere in a name', (char) => {
    expect(isChannelName(char)).toBe(true);
    expect(isChannelName(`a${char}b`)).toBe(true);
  });

  it('refuses every other character of ASCII, anywhere in a name', () => {
    const others = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
      (char) => !ALLOWED.includes(char),
    );

    for (const char of others) {
      expect([char, isChannelName(char)]).toEqual([char, false]);
      expect([char, isChannelName(`${char}a`)]).toEqual([char, false]);
      expect([char, isChannelName(`a${char}`)]).toEqual([char, false]);
      expect([char, isChannelName(`a${char}a`)]).toEqual([char, false]);
    }
  });

  it('accepts names of 1 to 255 characters', () => {
    expect(isChannelName('')).toBe(false);
    expect(isChannelName('a')).toBe(true);
    expect(isChannelName('a'.repeat(MAX_CHANNEL_NAME_LENGTH))).toBe(true);
    expect(isChannelName('a'.repeat(MAX_CHANNEL_NAME_LENGTH + 1))).toBe(false);
    expect(MAX_CHANNEL_NAME_LENGTH).toBe(255);
  });

  it.each([
    ['a space', 'chat lobby'],
    ['a glob', 'chat:*'],
    ['a parameter', 'chat:{room}'],
    ['CR LF', 'chat\r\n'],
    ['a line break at the end', 'chat\n'],
    ['NUL', 'chat\0'],
    ['a slash', 'chat/lobby'],
    ['a lone high surrogate', 'chat\ud800'],
    ['a lone low surrogate', '\udc00chat'],
    ['an astral character', 'chat:\u{1f600}'],
    ['a letter with an accent', 'caf\u00e9'],
    ['a letter that looks like ASCII', 'ch\u0430t'],
    ['full-width digits', '\uff11\uff12'],
    ['a right-to-left mark', 'chat\u200f'],
    ['a byte order mark', '\ufeffchat'],
    ['10 KB', 'a'.repeat(10_240)],
  ])('refuses %s', (_what, name) => {
    expect(isChannelName(name)).toBe(false);
  });

  it.each([undefined, null, 0, 1, true, {}, [], ['chat'], new String('chat'), Symbol('chat')])(
    'refuses what is no string: %s',
    (name) => {
      expect(isChannelName(name)).toBe(false);
    },
  );

  it('accepts names that objects inherit: they are names like any other', () => {
    expect(isChannelName('__proto__')).toBe(true);
    expect(isChannelName('constructor')).toBe(true);
  });

  it('accepts exactly the strings of allowed characters', () => {
    const unit = fc.oneof(
      { weight: 99, arbitrary: fc.constantFrom(...ALLOWED) },
      { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 1 }) },
    );
    const text = fc.string({ unit, maxLength: 300, size: 'max' });

    fc.assert(
      fc.property(text, (name) => {
        const legal =
          name.length > 0 && name.length <= 255 && [...name].every((char) => ALLOWED.includes(char));
        return isChannelName(name) === legal;
      }),
    );
  });
});

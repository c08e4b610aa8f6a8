import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHANNEL_SYNTAX } from '../../lib/core/channel-definition.js';
import { Pattern, PatternTable } from '../../lib/core/pattern.js';

/** A table whose values are the texts of its patterns. */
function tableOf(...patterns: readonly string[]): PatternTable<string> {
  const table = new PatternTable<string>(CHANNEL_SYNTAX);
  for (const text of patterns) table.add(new Pattern(text, CHANNEL_SYNTAX), text);
  return table;
}

describe('PatternTable', () => {
  it('finds the pattern that fits, with its parameters', () => {
    const table = tableOf('chat:{room}', 'org:{org}:team:{team}', 'news');

    expect(table.match('chat:lobby')).toEqual({ value: 'chat:{room}', params: { room: 'lobby' } });
    expect(table.match('org:acme:team:7')).toEqual({
      value: 'org:{org}:team:{team}',
      params: { org: 'acme', team: '7' },
    });
    expect(table.match('news')).toEqual({ value: 'news', params: {} });
  });

  it.each(['chat', 'chat:a:b', 'chat:', ':chat', 'Chat:a', 'news:', 'new', 'org:acme:teams:7', ''])(
    'finds none for %j',
    (name) => {
      const table = tableOf('chat:{room}', 'org:{org}:team:{team}', 'news');

      expect(table.match(name)).toBeUndefined();
    },
  );

  it('takes a literal before a parameter, whichever was added first', () => {
    for (const patterns of [
      ['chat:{room}', 'chat:news'],
      ['chat:news', 'chat:{room}'],
    ]) {
      const table = tableOf(...patterns);

      expect(table.match('chat:news')?.value).toBe('chat:news');
      expect(table.match('chat:lobby')?.value).toBe('chat:{room}');
    }
  });

  it('compares from left to right', () => {
    const table = tableOf('{kind}:a:b', 'chat:{x}:{y}', 'chat:{x}:b', 'chat:a:{y}');

    const values = ['chat:a:b', 'chat:z:b', 'chat:z:z', 'mail:a:b'].map((name) => table.match(name)?.value);

    expect(values).toEqual(['chat:a:{y}', 'chat:{x}:b', 'chat:{x}:{y}', '{kind}:a:b']);
  });

  it('matches empty literals, and no parameter with nothing', () => {
    const table = tableOf('chat::{room}', '{a}:{b}');

    expect(table.match('chat::1')?.params).toEqual({ room: '1' });
    expect(table.match('chat::')).toBeUndefined();
    expect(table.match('a:')).toBeUndefined();
  });

  it('gives parameters that are named like members of objects, and nothing else', () => {
    const { params } = tableOf('{constructor}:{toString}').match('a:b') ?? {};

    expect(Object.entries(params ?? {})).toEqual([
      ['constructor', 'a'],
      ['toString', 'b'],
    ]);
  });

  it.each([
    ['chat:{room}', 'chat:{id}'],
    ['chat:{room}', 'chat:{room}'],
    ['a:{b}:c:{d}', 'a:{x}:c:{y}'],
  ])('refuses %s beside %s', (one, other) => {
    expect(() => tableOf(one, other)).toThrow(
      new TypeError(`"${other}" and "${one}" match the same names; keep one of them.`),
    );
  });

  it.each([
    ['chat:{room}', 'chat:{room}:{message}'],
    ['chat:{room}', 'chat:room'],
    ['{a}:b', 'a:{b}'],
  ])('takes %s beside %s', (one, other) => {
    expect(() => tableOf(one, other)).not.toThrow();
  });
});

describe('PatternTable, for any patterns', () => {
  const segment = fc.constantFrom('a', 'b', '{}');
  const shape = fc.array(segment, { minLength: 1, maxLength: 4 });
  const shapes = fc.uniqueArray(shape, { maxLength: 12, selector: (segments) => segments.join(':') });
  const name = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });

  /** The text of a shape, with a name for each parameter. */
  function named(segments: readonly string[]): string {
    return segments.map((text, at) => (text === '{}' ? `{p${at}}` : text)).join(':');
  }

  function paramsOf(segments: readonly string[], names: readonly string[]): object {
    const params = segments.map((text, at) => [text, `p${at}`, names[at]]);
    return Object.fromEntries(params.filter(([text]) => text === '{}').map(([, ...param]) => param));
  }

  function fits(segments: readonly string[], names: readonly string[]): boolean {
    return (
      segments.length === names.length && segments.every((text, at) => text === '{}' || text === names[at])
    );
  }

  /** As section 5.1 has it: the first segment, from the left, in which two differ decides. */
  function isBetter(one: readonly string[], other: readonly string[]): boolean {
    const at = one.findIndex((text, index) => (text === '{}') !== (other[index] === '{}'));
    return at >= 0 && one[at] !== '{}';
  }

  it('finds what a look at all of them finds', () => {
    fc.assert(
      fc.property(shapes, name, (all, names) => {
        const fitting = all.filter((segments) => fits(segments, names));
        const best = fitting.find((one) => fitting.every((other) => one === other || isBetter(one, other)));

        const found = tableOf(...all.map(named)).match(names.join(':'));

        expect(found).toEqual(best && { value: named(best), params: paramsOf(best, names) });
      }),
      { numRuns: 2_000 },
    );
  });
});

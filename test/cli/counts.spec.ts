import { describe, expect, it } from 'vitest';
import { Counts } from '../../lib/cli/counts.js';

const countsOf = (...keys: readonly (string | number)[]): Counts => {
  const counts = new Counts();
  for (const key of keys) counts.add(key);
  return counts;
};

describe('Counts', () => {
  it('counts by key, in the order in which each came first', () => {
    const counts = countsOf(4429, 'silence', 4429);

    expect(JSON.stringify(counts)).toBe('{"4429":2,"silence":1}');
    expect([counts.total, counts.has(4429), counts.has(4401)]).toEqual([3, true, false]);
  });

  it('tells 64 keys apart, and counts what comes beyond them together', () => {
    const keys = Array.from({ length: 64 }, (_, index) => `key-${index}`);

    const full = countsOf(...keys);
    const over = countsOf(...keys, 'one more', 'and another', 'key-0');

    expect(Object.keys(full.toJSON())).toEqual(keys);
    expect(over.toJSON()).toEqual({ ...full.toJSON(), 'key-0': 2, other: 2 });
    expect(over.total).toBe(67);
  });

  it.each([
    ['an escape sequence', '\u001b[2J'],
    ['one of the other set of control characters', '\u009b2J'],
    ['a line break', 'timeout\n'],
    ['what changes the direction of writing', '\u202etuoemit'],
    ['nothing', ''],
    ['129 characters', 'x'.repeat(129)],
    ['10,000 characters', 'x'.repeat(10_000)],
  ])('counts a key with %s as another one', (_, key) => {
    expect(countsOf(key, key).toJSON()).toEqual({ other: 2 });
  });

  it.each(['Unexpected server response: 403', 'x'.repeat(128)])('shows %s', (key) => {
    expect(countsOf(key).toJSON()).toEqual({ [key]: 1 });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHash } from '../../lib/core/content-hash.js';

/** The same JSON with the keys of each object in another order. */
function turned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(turned);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, turned(member)]),
  );
}

describe('contentHash', () => {
  it('is the same whatever the order of the keys', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (event, data) => {
        expect(contentHash(event, turned(data))).toBe(contentHash(event, data));
      }),
    );
  });

  it('is another one for another event or other data', () => {
    const message = fc.tuple(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(message, message, ([event, data], [otherEvent, other]) => {
        const isSame = event === otherEvent && JSON.stringify(sorted(data)) === JSON.stringify(sorted(other));
        expect(contentHash(event, data) === contentHash(otherEvent, other)).toBe(isSame);
      }),
    );
  });

  it.each([
    ['a short one as it is', 35, 43],
    ['a longer one by its hash, which is no longer', 36, 43],
    ['a long one by its hash', 60_000, 43],
  ])('tells %s', (_what, length, longest) => {
    const hashed = contentHash('e', 'x'.repeat(length));

    expect(hashed.length).toBeLessThanOrEqual(longest);
    expect(hashed.startsWith('[')).toBe(length === 35);
  });

  it.each([
    ['a date', { at: new Date(0) }],
    ['an own form', { toJSON: () => ({ b: 1, a: 2 }) }],
    ['an own form within', { list: [{ toJSON: () => ({ b: 1, a: 2 }) }] }],
  ])('sees the JSON of %s', (_what, data) => {
    expect(contentHash('event', data)).toBe(contentHash('event', turned(JSON.parse(JSON.stringify(data)))));
  });

  it.each([
    ['goes round', goingRound()],
    ['has a large number', { large: 1n }],
  ])('goes by the event where the data has no JSON: %s', (_what, data) => {
    expect(contentHash('event', data)).toBe('["event"]');
  });
});

function goingRound(): unknown {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, member]) => [key, sorted(member)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exceedsNesting } from '../../lib/codec/nesting.js';

/** The same question, answered by recursion over the parsed value. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Text that looks like structure to whoever reads it carelessly. */
const confusing = fc
  .array(fc.constantFrom('[', ']', '{', '}', '"', '\\', '\\"', 'a', '\\\\', '\n', '\u2028'), {
    maxLength: 20,
  })
  .map((parts) => parts.join(''));

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 8, withCrossShrink: true },
    fc.oneof(confusing, fc.integer(), fc.constantFrom(null, true), fc.string()),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(confusing, fc.string()), tie('value'), { maxKeys: 3 }),
  ),
})).value;

describe('exceedsNesting', () => {
  it('agrees with recursion, whatever the texts within', () => {
    fc.assert(
      fc.property(anyValue, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const depth = depthOf(JSON.parse(text));

        expect(exceedsNesting(text, depth)).toBe(false);
        expect(exceedsNesting(text, depth - 1)).toBe(depth > 0);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['"[[[["', 0],
    ['"\\"[["', 0],
    ['"\\\\"', 0],
    ['["\\\\",[]]', 2],
    ['["\\\\\\"[[[",[]]', 2],
    ['[[],[],[]]', 2],
    ['{"a":{"[":1},"b":[]}', 2],
    ['[{"a":[{}]}]', 4],
  ])('finds the depth of %s', (text, depth) => {
    expect(exceedsNesting(text, depth)).toBe(false);
    expect(exceedsNesting(text, depth - 1)).toBe(depth > 0);
  });

  it('never fails on text that is no JSON', () => {
    fc.assert(
      fc.property(confusing, fc.nat(5), (text, limit) => {
        expect(typeof exceedsNesting(text, limit)).toBe('boolean');
      }),
    );
  });

  it('stops at the limit', () => {
    expect(exceedsNesting('['.repeat(1_000_000), 32)).toBe(true);
  });
});

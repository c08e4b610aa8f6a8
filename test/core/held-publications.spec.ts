import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodedFrame } from '../../lib/core/encoded-frame.js';
import { HeldPublications } from '../../lib/core/held-publications.js';

function hold(maxBytes: number, ...texts: readonly string[]): HeldPublications {
  const held = new HeldPublications(maxBytes);
  for (const text of texts) held.add(new EncodedFrame(text));
  return held;
}

describe('HeldPublications', () => {
  it('keeps frames in order, up to the limit', () => {
    const held = hold(6, 'one', 'two');

    expect(held.frames.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(held.overflowed).toBe(false);
  });

  it('keeps none past the limit, and none from there on', () => {
    const held = hold(5, 'one', 'two', '', 'x');

    expect([held.frames, held.overflowed]).toEqual([[], true]);
  });

  it('counts bytes, not characters', () => {
    expect(hold(4, 'éé').overflowed).toBe(false);
    expect(hold(3, 'éé').overflowed).toBe(true);
  });

  it('keeps nothing where nothing may be held back', () => {
    expect(hold(0).overflowed).toBe(false);
    expect(hold(0, 'x').overflowed).toBe(true);
  });

  it('keeps all or nothing, whatever comes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 200 }), fc.array(fc.string(), { maxLength: 30 }), (maxBytes, texts) => {
        const held = hold(maxBytes, ...texts);
        const fits = Buffer.byteLength(texts.join('')) <= maxBytes;

        expect(held.overflowed).toBe(!fits);
        expect(held.frames.map(({ text }) => text)).toEqual(fits ? texts : []);
      }),
    );
  });
});

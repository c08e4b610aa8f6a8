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

    expect(held.publications.map(({ frame }) => frame.text)).toEqual(['one', 'two']);
    expect(held.isBroken).toBe(false);
  });

  it('keeps none past the limit, and none from there on', () => {
    const held = hold(5, 'one', 'two', '', 'x');

    expect([held.publications, held.isBroken]).toEqual([[], true]);
  });

  it('counts bytes, not characters', () => {
    expect(hold(4, 'éé').isBroken).toBe(false);
    expect(hold(3, 'éé').isBroken).toBe(true);
  });

  it('keeps nothing where nothing may be held back', () => {
    expect(hold(0).isBroken).toBe(false);
    expect(hold(0, 'x').isBroken).toBe(true);
  });

  it('keeps all or nothing, whatever comes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 200 }), fc.array(fc.string(), { maxLength: 30 }), (maxBytes, texts) => {
        const held = hold(maxBytes, ...texts);
        const fits = Buffer.byteLength(texts.join('')) <= maxBytes;

        expect(held.isBroken).toBe(!fits);
        expect(held.publications.map(({ frame }) => frame.text)).toEqual(fits ? texts : []);
      }),
    );
  });
});

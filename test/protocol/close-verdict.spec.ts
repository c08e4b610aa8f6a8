import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLOSE_CODES,
  closeCode,
  closeVerdict,
  MAX_CLOSE_REASON_BYTES,
  type CloseCodeEntry,
} from '../../lib/protocol/index.js';

const ENTRIES: readonly CloseCodeEntry[] = Object.values(CLOSE_CODES);

const unlisted = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min, max }).filter((code) => closeCode(code) === undefined);

describe('closeVerdict', () => {
  it.each([1001, 1005, 1006, 1011, 1012, 1013, 1014])('comes back after %i', (code) => {
    expect(closeVerdict(code)).toBe('reconnect');
  });

  it.each([1000, 1002, 1003, 1007, 1008, 1009, 1010, 1015])('stays away after %i', (code) => {
    expect(closeVerdict(code)).toBe('stay');
  });

  it('comes back after any unknown code of 4000-4499', () => {
    fc.assert(fc.property(unlisted(4000, 4499), (code) => closeVerdict(code) === 'reconnect'));
  });

  it('stays away after any unknown code of 4500-4999', () => {
    fc.assert(fc.property(unlisted(4500, 4999), (code) => closeVerdict(code) === 'stay'));
  });

  it('comes back after any unknown code outside of the two ranges', () => {
    fc.assert(fc.property(unlisted(0, 3999), (code) => closeVerdict(code) === 'reconnect'));
    fc.assert(fc.property(unlisted(5000, 65_535), (code) => closeVerdict(code) === 'reconnect'));
  });

  it.each([
    [3999, 'reconnect'],
    [4000, 'reconnect'],
    [4499, 'reconnect'],
    [4500, 'stay'],
    [4999, 'stay'],
    [5000, 'reconnect'],
  ])('takes %i, at the edge of a range, as %s', (code, verdict) => {
    expect(closeVerdict(code)).toBe(verdict);
  });
});

describe('CLOSE_CODES', () => {
  it('gives each code and each name once', () => {
    expect(new Set(ENTRIES.map((entry) => entry.code)).size).toBe(ENTRIES.length);
    expect(new Set(ENTRIES.map((entry) => entry.name)).size).toBe(ENTRIES.length);
  });

  it('has no code of ours whose verdict contradicts its range', () => {
    for (const { code, verdict } of ENTRIES.filter((entry) => entry.code >= 4000)) {
      expect([code, verdict]).toEqual([code, code < 4500 ? 'reconnect' : 'stay']);
    }
  });

  it('has reasons that fit into a close frame', () => {
    for (const { reason } of ENTRIES) {
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(MAX_CLOSE_REASON_BYTES);
    }
  });

  it('is found by code', () => {
    for (const entry of ENTRIES) expect(closeCode(entry.code)).toBe(entry);
    expect(closeCode(4999)).toBeUndefined();
  });
});

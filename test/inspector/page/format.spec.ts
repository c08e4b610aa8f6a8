import { expect, it } from 'vitest';
import { format, formatAge, formatBytes } from '../../../lib/inspector/page/format.js';

it.each([
  [undefined, '–'],
  [0, '0'],
  [0.35, '0.35'],
  [7, '7'],
  [12.34, '12.3'],
  [123.4, '123'],
  [9_999, '9999'],
  [10_000, '10 k'],
  [12_345, '12.3 k'],
  [2_500_000, '2.50 M'],
  [3e9, '3 G'],
])('writes %s as %s', (value, text) => {
  expect(format(value)).toBe(text);
});

it.each([
  [undefined, '–'],
  [0, '0 B'],
  [512, '512 B'],
  [65_536, '65.5 kB'],
  [2_500_000, '2.50 MB'],
])('writes %s bytes as %s', (value, text) => {
  expect(formatBytes(value)).toBe(text);
});

it.each([
  [0, '0 s'],
  [3_499, '3 s'],
  [59_400, '59 s'],
  [60_000, '1 min'],
  [119_000, '1 min'],
])('writes %i ms as %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

import { describe, expect, it } from 'vitest';
import { ERROR_CODES, isErrorCode } from '../../lib/protocol/index.js';

describe('isErrorCode', () => {
  it('knows every code of the table', () => {
    for (const code of Object.keys(ERROR_CODES)) expect([code, isErrorCode(code)]).toEqual([code, true]);
  });

  it.each([
    '',
    'Internal',
    'expired',
    'closed',
    '__proto__',
    'constructor',
    'toString',
    500,
    null,
    undefined,
  ])('knows no code %s', (value) => {
    expect(isErrorCode(value)).toBe(false);
  });
});

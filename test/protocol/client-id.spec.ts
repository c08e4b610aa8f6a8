import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CLIENT_ID } from '../../lib/protocol/index.js';

describe('CLIENT_ID', () => {
  it('accepts 128 random bits as base64url and as hex', () => {
    expect(randomBytes(16).toString('base64url')).toMatch(CLIENT_ID);
    expect(randomBytes(16).toString('hex')).toMatch(CLIENT_ID);
  });

  it('accepts 22 to 64 characters', () => {
    expect('a'.repeat(21)).not.toMatch(CLIENT_ID);
    expect('a'.repeat(22)).toMatch(CLIENT_ID);
    expect('a'.repeat(64)).toMatch(CLIENT_ID);
    expect('a'.repeat(65)).not.toMatch(CLIENT_ID);
  });

  it.each(['+', '/', '=', ' ', '\n', '\0', '\u00e9', '.'])('refuses %j', (char) => {
    expect('a'.repeat(30) + char).not.toMatch(CLIENT_ID);
    expect(char + 'a'.repeat(30)).not.toMatch(CLIENT_ID);
  });
});

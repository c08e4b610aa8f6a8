import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const FILE = '.jwt-secret';

/** What tokens are signed with: `JWT_SECRET`, or one that is made once and kept, so that they survive a restart. */
export function jwtSecret(env: NodeJS.ProcessEnv = process.env): string {
  if (env['JWT_SECRET']) return env['JWT_SECRET'];
  if (env['NODE_ENV'] === 'production') {
    throw new Error('JWT_SECRET is not set: set it to a random text that all nodes share, and start again.');
  }
  const path = resolve(FILE);
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(path, 'utf8');
}

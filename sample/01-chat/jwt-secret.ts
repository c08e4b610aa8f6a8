import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const FILE = '.jwt-secret';
const SECRET_BYTES = 32;

/** What tokens are signed with: `JWT_SECRET`, or one that is made once and kept, so that they survive a restart. */
export function jwtSecret(env: NodeJS.ProcessEnv = process.env): string {
  if (env['JWT_SECRET']) return env['JWT_SECRET'];
  if (env['NODE_ENV'] === 'production') {
    throw new Error('JWT_SECRET is not set: set it to a random text that all nodes share, and start again.');
  }
  const path = resolve(FILE);
  makeOnce(path);
  const secret = readFileSync(path, 'utf8');
  if (Buffer.from(secret, 'base64url').length === SECRET_BYTES) return secret;
  throw new Error(`${FILE} is damaged: delete it, and start again.`);
}

/** Of two starts at the same time one makes it. */
function makeOnce(path: string): void {
  try {
    writeFileSync(path, randomBytes(SECRET_BYTES).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

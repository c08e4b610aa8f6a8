import { readFileSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/**
 * The token of `--token`, or those of the file of `--token-file`.
 *
 * @throws UsageError naming what cannot be used, without a token
 */
export function readTokens(token: string | undefined, path: string | undefined): readonly string[] {
  if (token !== undefined && path !== undefined)
    throw new UsageError('--token and --token-file were given; give one of them.');
  if (token !== undefined) return [checkToken(token, '--token')];
  if (path === undefined) return [];
  const lines = readTokenFile(path)
    .split('\n')
    .map((line) => line.trim());
  const tokens = lines.flatMap((line, at) =>
    line ? [checkToken(line, `--token-file, line ${at + 1},`)] : [],
  );
  if (tokens.length > 0) return tokens;
  throw new UsageError(`--token-file (${path}) is empty; write one token a line.`);
}

function readTokenFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-file (${path}) cannot be read; name a file of yours.`, { cause: error });
  }
}

/** Says where it is and not what it is. */
function checkToken(token: string, place: string): string {
  if (/^[!-~]+$/.test(token)) return token;
  throw new UsageError(`${place} must be visible ASCII without spaces, as a JWT is; look at what was given.`);
}

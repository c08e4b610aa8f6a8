import { ChannelsError } from '../core/errors.js';

/**
 * How the answers of Redis begin that say nothing about what was asked: it cannot serve anybody just now. `OOM` among
 * them: what was to be kept was not.
 */
const AWAY = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'UNBLOCKED',
]);

/**
 * What Redis or the way to it has said, as the caller of a broker takes it: `unavailable`, where another try may
 * help, or the error as it is, which is a mistake of ours.
 */
export function fromRedis(error: unknown): unknown {
  if (error instanceof ChannelsError) return error;
  const { name, message } = error as Error;
  if (name === 'ReplyError' && !AWAY.has(codeOf(message))) return error;
  return new ChannelsError('unavailable', 'Redis is away, or cannot do it now', { cause: error });
}

/**
 * The word with which Redis says what kind of error it is. Before Redis 7 that of a command in a script stands behind
 * a text about the script.
 */
export function codeOf(message: string): string {
  const [, inScript] = /^ERR Error running script .*? -([A-Z]+) /.exec(message) ?? [];
  const [first = ''] = message.split(' ', 1);
  return inScript ?? first;
}

/** Whether Redis may have done what has failed so: it has not said that it did not. */
export function mayHaveHappened(error: unknown): boolean {
  const cause = error instanceof ChannelsError ? error.cause : error;
  return !(cause instanceof Error && cause.name === 'ReplyError');
}

/** The reason that an operator reads. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof ChannelsError ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}

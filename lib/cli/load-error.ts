import type { ClientState } from '../client/index.js';
import { closeCode } from '../protocol/index.js';
import type { Counts } from './counts.js';

/** The run could not be made. Ends with exit code 1. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

/** What to do about errors of sockets that people meet. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there (ECONNREFUSED): start the server, or correct the port',
  ENOTFOUND: 'there is no such host (ENOTFOUND): correct its name',
  EAI_AGAIN: 'the host was not found (EAI_AGAIN): correct its name, or try again',
  ECONNRESET: 'the server has cut the connection (ECONNRESET): does it speak ws:// there, or wss://?',
  EPROTO: 'there is no TLS (EPROTO): is it ws:// and not wss://?',
};

/** The same of the refusal of a channel. */
const JOIN_ADVICE: Readonly<Record<string, string>> = {
  unknown_channel: '; say which channels there are, by --channel and --rooms',
  forbidden: '; give a --token that may join it',
};

/** Why the first connection of a run could not be opened, and what to do. */
export function noConnection(url: string, state: ClientState, causes: Counts): LoadError {
  // A socket says more than the close code that a client makes of it.
  const [cause] = Object.keys(causes.toJSON());
  const why = cause === undefined ? reasonOf(state) : (ADVICE[cause] ?? cause);
  return new LoadError(`No connection to ${url}: ${why}.`);
}

/** Why the first connection is in none of its channels, and what to do. */
export function noChannel([channel = '']: readonly string[], refusals: Counts): LoadError {
  const [code = ''] = Object.keys(refusals.toJSON());
  return new LoadError(`The first connection cannot join ${channel}: ${code}${JOIN_ADVICE[code] ?? ''}.`);
}

function reasonOf({ code, reason }: ClientState): string {
  if (reason === 'hello_timeout') return 'it does not answer $hello: is it a gateway of nestjs-channels?';
  const known = code === undefined ? undefined : closeCode(code);
  if (code === undefined || known?.name === 'abnormal') return 'it does not answer';
  const meaning = known ? ` ${known.name}: ${known.reason}` : '';
  const hint = known?.name === 'unauthorized' || known?.name === 'forbidden' ? '; give a --token' : '';
  return `closed with ${code}${meaning}${hint}`;
}

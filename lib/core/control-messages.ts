import { parseFilter, type ConnectionFilter, type ConnectionSummary } from './connection-filter.js';
import type { Revocation } from './revocation-store.interface.js';
import { parseTarget } from './revocation-target.js';

/** Of the questions and answers. A node that does not know the version of a question gives no answer. */
const VERSION = 1;

/** What one node asks the others. */
export type ControlQuestion =
  | {
      readonly type: 'disconnect';
      readonly filter: ConnectionFilter;
      /** Whether the clients are to come back. */
      readonly reconnect: boolean;
    }
  | {
      readonly type: 'connections';
      readonly filter: ConnectionFilter;
      /** At most so many of them. */
      readonly limit: number;
      /** At most so much of their JSON, in characters. */
      readonly maxLength: number;
    }
  | {
      readonly type: 'revoke';
      readonly revocation: Revocation;
      /** Whether it is to be remembered: not where the store has no room for it. */
      readonly isKept: boolean;
    }
  | {
      readonly type: 'watch';
      /** For how long figures are wanted, in milliseconds. */
      readonly forMs: number;
    };

export interface DisconnectAnswer {
  readonly disconnected: number;
}

export interface ConnectionsAnswer {
  readonly connections: readonly ConnectionSummary[];
  /** There are more than these. */
  readonly more: boolean;
}

/** Says only that the question was understood. */
export type WatchAnswer = Readonly<Record<never, never>>;

/** Figures are wanted for so long at most: who looks for longer asks again. */
export const MAX_WATCH_MS = 60_000;

export function encodeMessage(
  message: ControlQuestion | DisconnectAnswer | ConnectionsAnswer | WatchAnswer,
): string {
  return JSON.stringify({ v: VERSION, ...message });
}

/** @throws TypeError for what this version does not understand */
export function parseQuestion(text: string): ControlQuestion {
  const question = parseMessage(text);
  if (question['type'] === 'revoke') return parseRevoke(question, text);
  if (question['type'] === 'watch') return parseWatch(question, text);
  const filter = parseFilter(question['filter']);
  if (filter) {
    const { type, reconnect, limit, maxLength } = question;
    if (type === 'disconnect' && typeof reconnect === 'boolean') return { type, filter, reconnect };
    if (type === 'connections' && isCount(limit) && isCount(maxLength)) {
      return { type, filter, limit, maxLength };
    }
  }
  throw unknown(text);
}

function parseRevoke(
  { revocation, isKept }: Readonly<Record<string, unknown>>,
  text: string,
): ControlQuestion {
  const { target, revokedAt, until } = (revocation ?? {}) as Readonly<Record<string, unknown>>;
  if (!isCount(revokedAt) || !isCount(until) || typeof isKept !== 'boolean') throw unknown(text);
  try {
    return { type: 'revoke', revocation: { target: parseTarget(target), revokedAt, until }, isKept };
  } catch (cause) {
    throw unknown(text, { cause });
  }
}

function parseWatch({ forMs }: Readonly<Record<string, unknown>>, text: string): ControlQuestion {
  if (isCount(forMs) && forMs <= MAX_WATCH_MS) return { type: 'watch', forMs };
  throw unknown(text);
}

/** @throws TypeError for what this version does not understand */
export function parseWatched(text: string): WatchAnswer {
  return parseMessage(text);
}

/** @throws TypeError for what this version does not understand */
export function parseDisconnected(text: string): DisconnectAnswer {
  const { disconnected } = parseMessage(text);
  if (isCount(disconnected)) return { disconnected };
  throw unknown(text);
}

/** @throws TypeError for what this version does not understand */
export function parseConnections(text: string): ConnectionsAnswer {
  const { connections, more } = parseMessage(text);
  if (Array.isArray(connections) && typeof more === 'boolean') {
    return { connections: connections.map((connection) => parseSummary(connection, text)), more };
  }
  throw unknown(text);
}

function parseSummary(value: unknown, text: string): ConnectionSummary {
  const { id, principal, path, channels } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (isText(id) && isText(principal) && isText(path) && Array.isArray(channels) && channels.every(isText)) {
    return { id, principal, path, channels };
  }
  throw unknown(text);
}

function parseMessage(text: string): Readonly<Record<string, unknown>> {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (cause) {
    throw unknown(text, { cause });
  }
  if (typeof message !== 'object' || message === null) throw unknown(text);
  const { v, ...members } = message as Readonly<Record<string, unknown>>;
  if (v !== VERSION) throw unknown(text);
  return members;
}

/** For an operator; it names nobody's data beyond how it begins. */
function unknown(text: string, options?: ErrorOptions): TypeError {
  const start = JSON.stringify(text.slice(0, 40));
  return new TypeError(`not understood, as from another version of this package: ${start}`, options);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

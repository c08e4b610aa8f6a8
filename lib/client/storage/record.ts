import { CLIENT_ID } from '../../protocol/index.js';
import type { StoredMessage } from '../queue-storage.interface.js';

/** A message as it stands in a storage, and when it was put there. */
export interface SavedRecord {
  readonly message: StoredMessage;
  /** By the clock on the wall. */
  readonly savedAt: number;
}

/** One line with what is known of the message, and the frame behind it, as it is. */
export function writeRecord({ text, ...known }: StoredMessage, savedAt: number): string {
  // An age of Infinity becomes null.
  return `${JSON.stringify({ ...known, savedAt })}\n${text}`;
}

/** @throws an error that says what is wrong with it, without what was sent */
export function readRecord(value: string): SavedRecord {
  const end = value.indexOf('\n');
  const text = value.slice(end + 1);
  const known = parse(value.slice(0, Math.max(end, 0)));
  const frame = parse(text);
  const { id, clientId, principal, sentAgoMs, leftMs, savedAt } = known;
  expect(typeof id === 'string' && typeof clientId === 'string' && CLIENT_ID.test(clientId), 'identity');
  // A plain server is sent no id.
  expect(typeof frame['event'] === 'string' && (frame['id'] ?? id) === id, 'frame');
  expect(principal === undefined || typeof principal === 'string', 'principal');
  expect(typeof savedAt === 'number', 'time');
  expect(sentAgoMs === undefined || sentAgoMs === null || typeof sentAgoMs === 'number', 'age');
  expect(leftMs === undefined || typeof leftMs === 'number', 'time left');
  const message = {
    id,
    clientId,
    text,
    principal,
    leftMs,
    sentAgoMs: sentAgoMs === null ? Infinity : sentAgoMs,
  };
  return { message: message as StoredMessage, savedAt: savedAt as number };
}

/**
 * What is left of a message after the time since it was saved.
 *
 * @param elapsedMs - `undefined` where the clock was set back: then nobody knows how old the message is
 */
export function aged({ message, elapsedMs }: { message: StoredMessage; elapsedMs?: number }): StoredMessage {
  const { sentAgoMs, leftMs } = message;
  return {
    ...message,
    sentAgoMs: sentAgoMs === undefined ? sentAgoMs : sentAgoMs + (elapsedMs ?? Infinity),
    leftMs: leftMs === undefined ? leftMs : Math.max(leftMs - (elapsedMs ?? 0), 0),
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // The text of the error would show what was sent.
  }
  throw new Error('not JSON');
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`no ${what}`);
}

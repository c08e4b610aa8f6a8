import type { ServerFrame, WireError } from '../protocol/index.js';

/** Reads what a server sent. Fields that are not known are left alone (docs/protocol.md, "Room to grow"). */
export function parseServerFrame(data: unknown): ServerFrame | undefined {
  const value = parseJson(data);
  if (!isRecord(value)) return undefined;
  const { event, ack, channel = '' } = value;
  const isNamed = typeof event === 'string' && typeof channel === 'string';
  const isFrame = event === undefined ? ack !== undefined : isNamed;
  return isFrame ? (value as unknown as ServerFrame) : undefined;
}

/** The wait that the reason of a close orders, and the ticket of its slot (docs/protocol.md, 2.7 and 2.9). */
export function waitOf(reason: unknown): { readonly retryAfterMs?: number; readonly slot?: string } {
  const data = parseJson(reason);
  const slot = isRecord(data) ? data['slot'] : undefined;
  return { retryAfterMs: delayOf(data, 'retryAfterMs'), slot: typeof slot === 'string' ? slot : undefined };
}

/** A day: what a server orders beyond that is a mistake, and timers have an end. */
const MAX_ORDERED_MS = 86_400_000;

/** A delay that a server has named, or `undefined` where it has named none. */
export function delayOf(data: unknown, field: string): number | undefined {
  const value = isRecord(data) ? data[field] : undefined;
  return typeof value === 'number' && value >= 0 ? Math.min(value, MAX_ORDERED_MS) : undefined;
}

/** The error of an ack. One that cannot be read counts as a failure of the server. */
export function readError(error: unknown): WireError {
  if (isRecord(error) && typeof error['code'] === 'string') return error as unknown as WireError;
  return { code: 'internal', message: 'unreadable error', retryable: false };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // What cannot be read is no frame; the caller says so.
    return undefined;
  }
}

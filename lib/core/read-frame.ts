import { DecodeError } from '../codec/index.js';
import { parseClientFrame, type EventFrame, type WireError } from '../protocol/index.js';
import type { Connection } from './connection.js';
import { ChannelsError } from './errors.js';
import { isKeepAlive } from './keep-alive.js';

/** Reads a message as an event. Whatever else it is has been taken care of. */
export function readFrame(connection: Connection, message: string | Uint8Array): EventFrame | undefined {
  const { observers } = connection.engine;
  let value: unknown;
  try {
    value = connection.decode(message);
  } catch (error) {
    refuse(connection, error, message);
    return undefined;
  }
  const frame = parseClientFrame(value);
  if (typeof frame === 'string') {
    if (value === undefined || isKeepAlive(value)) observers.faulted(connection, 'keep_alive');
    else connection.badFrame(frame);
    return undefined;
  }
  if (!('event' in frame)) {
    // An answer passes by everything. Where no request is open it comes too late, or was never asked for.
    if (!connection.takeAnswer(frame)) observers.faulted(connection, 'late_ack');
    return undefined;
  }
  return frame;
}

function refuse(connection: Connection, error: unknown, message: string | Uint8Array): void {
  if (!(error instanceof DecodeError)) throw error;
  const { observers } = connection.engine;
  if (error.code === 'bad_frame') {
    if (isKeepAlive(message)) observers.faulted(connection, 'keep_alive');
    else connection.badFrame(error.message);
    return;
  }
  observers.faulted(connection, 'bad_request');
  const frame = parseClientFrame(error.value);
  if (typeof frame === 'object' && 'ack' in frame && !('event' in frame)) {
    // The request must not wait for another answer.
    connection.refuseAnswer(frame.ack, new ChannelsError(error.code, error.message));
  }
  const wire: WireError = { code: error.code, message: error.message, retryable: false };
  const isEvent = typeof frame === 'object' && 'event' in frame;
  if (isEvent) connection.note(frame);
  const id = isEvent ? connection.idOf(frame) : undefined;
  if (id !== undefined) connection.sendError(id, wire);
  else if (connection.isForeign) connection.spoke = true;
  else connection.sendException(wire);
}

import { MAX_ID_LENGTH } from './constants.js';
import type { AckFrame, ClientFrame, EventFrame, MessageId } from './frames.js';

/**
 * Reads a decoded value as a frame from a client. Fields that the protocol does not know are
 * left alone, so that a later version may add some.
 *
 * @returns the frame, or a sentence that says why it is none
 */
export function parseClientFrame(value: unknown): ClientFrame | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a frame must be an object';

  const { event, id, ack } = value as Record<string, unknown>;
  if (typeof event !== 'string') {
    if (event === undefined && isMessageId(ack)) return value as AckFrame;
    return 'the event of a frame must be a string';
  }
  if (id !== undefined && !isMessageId(id)) {
    return `the id of a frame must be a string of at most ${MAX_ID_LENGTH} characters or a safe integer`;
  }
  return value as EventFrame;
}

/** Whether it can be the id of a message: a text of at most {@link MAX_ID_LENGTH} characters or a safe integer. */
export function isMessageId(value: unknown): value is MessageId {
  if (typeof value === 'string') return value.length <= MAX_ID_LENGTH;
  return Number.isSafeInteger(value);
}

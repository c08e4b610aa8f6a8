import type { Codec } from '../codec/index.js';
import type { WireError } from '../protocol/index.js';
import { answerData } from './answer-data.js';
import type { StoredAnswer } from './dedup-store.interface.js';
import { ChannelsError, toWireError } from './errors.js';

/**
 * What a handler has returned, as it is stored and sent.
 *
 * @throws ChannelsError where it is longer than `maxBytes`: it could not be kept for a copy
 * @throws whatever encoding throws
 */
export function encodeData(codec: Codec, value: unknown, maxBytes: number): StoredAnswer {
  const data = codec.encodeData(answerData(value));
  // Most are far from it: no character has more than three bytes.
  if (data !== undefined && data.length * 3 > maxBytes && Buffer.byteLength(data) > maxBytes) {
    throw new ChannelsError('payload_too_large', `the answer is longer than ${maxBytes} bytes`);
  }
  return { type: 'data', data };
}

/**
 * What a handler has thrown, as it is stored and sent.
 *
 * @throws whatever encoding throws: `details` are the application's
 */
export function encodeError(codec: Codec, wire: WireError, maxBytes: number): StoredAnswer {
  const error = codec.encodeData(wire) as string;
  if (Buffer.byteLength(error) <= maxBytes) return { type: 'error', error };
  const { code, retryable } = wire;
  const short = new ChannelsError(code, `an error longer than ${maxBytes} bytes`, { retryable });
  return { type: 'error', error: codec.encodeData(toWireError(short)) as string };
}

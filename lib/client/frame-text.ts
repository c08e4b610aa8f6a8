import { exceedsNesting } from '../codec/nesting.js';
import { ChannelsClientError } from './client-error.js';

/** A frame as it will travel, encoded once: what happens to the data afterwards does not change it. */
export interface FrameText {
  readonly text: string;
  readonly bytes: number;
}

/** @throws ChannelsClientError `bad_request` for data that JSON cannot carry */
export function encodeFrame(frame: {
  readonly event: string;
  readonly data?: unknown;
  readonly id?: string;
}): FrameText {
  try {
    const text = JSON.stringify(frame);
    return { text, bytes: utf8Length(text) };
  } catch (cause) {
    throw new ChannelsClientError('bad_request', `The data of ${JSON.stringify(frame.event)} is no JSON.`, {
      cause,
    });
  }
}

/** Why the server would not take this frame, where it would not. A limit that it has not told limits nothing. */
export function refusalOf(
  { text, bytes }: FrameText,
  { maxMessageBytes, maxNesting }: Readonly<Record<string, number>>,
): ChannelsClientError | undefined {
  if (maxMessageBytes !== undefined && bytes > maxMessageBytes) {
    return new ChannelsClientError(
      'payload_too_large',
      `The frame has ${bytes} bytes; the server takes ${maxMessageBytes} (maxMessageBytes).`,
    );
  }
  // The server answers a frame that is nested too deep without its id: nobody would be told.
  if (maxNesting !== undefined && exceedsNesting(text, maxNesting)) {
    return new ChannelsClientError(
      'bad_request',
      `The frame is nested deeper than the ${maxNesting} levels that the server takes (maxNesting).`,
    );
  }
  return undefined;
}

/** As `Buffer.byteLength`. JSON text has no lone surrogates: `JSON.stringify` escapes them. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Both halves of a pair stand for four bytes, so each for two.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

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
    return measure(frame);
  } catch (cause) {
    throw new ChannelsClientError('bad_request', String(cause), { cause });
  }
}

/** @throws what `JSON.stringify` throws */
export function measure(frame: object): FrameText {
  const text = JSON.stringify(frame);
  return { text, bytes: utf8Length(text) };
}

/** Why the server would not take this frame, where it would not. A limit that it has not told limits nothing. */
export function refusalOf(
  { text, bytes }: FrameText,
  { maxMessageBytes, maxNesting }: Readonly<Record<string, number>>,
): ChannelsClientError | undefined {
  if (maxMessageBytes !== undefined && bytes > maxMessageBytes) {
    return new ChannelsClientError(
      'payload_too_large',
      `The frame has ${bytes} bytes, the server takes ${maxMessageBytes} (maxMessageBytes).`,
    );
  }
  // The server answers a frame that is nested too deep without its id: nobody would be told.
  if (maxNesting !== undefined && isDeeper(JSON.parse(text), maxNesting)) {
    return new ChannelsClientError(
      'bad_request',
      `The frame has too many levels, the server takes ${maxNesting} (maxNesting).`,
    );
  }
  return undefined;
}

/** Every byte that is no ASCII is escaped as `%XX`. JSON text has no lone surrogates, which would throw. */
function utf8Length(text: string): number {
  return encodeURIComponent(text).replaceAll(/%../g, '-').length;
}

/** Never looks deeper than it has to: what the application nests has no end of its own. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

import type { EncodedFrame } from '../../core/encoded-frame.js';

/** FIN and the opcode of a text frame, RFC 6455 section 5.2. */
export const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * Frames of one turn are joined up to here. Of longer ones a write for each costs no more than to copy them, and who
 * reads slowly would keep a copy of his own of what is shared.
 */
export const MAX_JOINED_BYTES = 65_536;

/**
 * Bytes on their way to a socket. As a text they have a character each, to be written as {@link WIRE_ENCODING}: Node
 * writes that as it is, and a buffer costs more to make than the short answer that it would hold.
 */
export type WireBytes = string | Uint8Array;

/** How a socket writes {@link WireBytes} that are a text. */
export const WIRE_ENCODING = 'latin1';

/** Frames up to here may be a text. Of longer ones a buffer costs little in comparison. */
export const MAX_TEXT_BYTES = 4_096;

/** By the length of the text. */
const SHORT_HEADERS = Array.from({ length: LENGTH_16 }, (_, length) => String.fromCharCode(FIN_TEXT, length));

interface Joined {
  readonly frames: readonly EncodedFrame[];
  bytes: WireBytes;
}

/** What was joined since the last turn, by the last frame of each. */
const joined = new Map<EncodedFrame, Joined>();

/**
 * The bytes of a text frame from a server: unmasked, in one fragment. Who gets them first gets a text where they have
 * no character beyond ASCII; from the second one on all share a buffer.
 */
export function framedText(frame: EncodedFrame): WireBytes {
  const { framed } = frame;
  if (framed === undefined) return (frame.framed = mayBeText(frame) ? asText(frame) : frameText(frame));
  return typeof framed === 'string' ? (frame.framed = asBuffer(framed)) : framed;
}

/**
 * The bytes of the frames of one turn, or `undefined` where they are too long to be joined. All who get the same ones
 * in a turn get the same bytes, the first one as {@link framedText} says. They are kept no longer: a frame may be,
 * while it waits for a slow reader.
 */
export function joinedTexts(frames: readonly EncodedFrame[]): WireBytes | undefined {
  const last = frames.at(-1) as EncodedFrame;
  const known = joined.get(last);
  if (known && isSame(known.frames, frames)) {
    if (typeof known.bytes === 'string') known.bytes = asBuffer(known.bytes);
    return known.bytes;
  }
  let length = 0;
  for (const { byteLength } of frames) length += headerLength(byteLength) + byteLength;
  if (length > MAX_JOINED_BYTES) return undefined;
  const isText = length <= MAX_TEXT_BYTES && frames.every(mayBeText);
  const bytes = isText ? joinAsText(frames) : joinAsBuffer(frames, length);
  if (joined.size === 0) queueMicrotask(() => joined.clear());
  joined.set(last, { frames, bytes });
  return bytes;
}

/** Whether it is short, has no character beyond ASCII, and is no buffer already. */
function mayBeText({ text, byteLength, framed }: EncodedFrame): boolean {
  return byteLength === text.length && byteLength <= MAX_TEXT_BYTES && typeof framed !== 'object';
}

function joinAsText(frames: readonly EncodedFrame[]): string {
  let text = '';
  for (const frame of frames) text += asText(frame);
  return text;
}

function asText({ text, byteLength }: EncodedFrame): string {
  return headerText(byteLength) + text;
}

/** Of lengths that have two bytes at most. */
function headerText(length: number): string {
  return SHORT_HEADERS[length] ?? String.fromCharCode(FIN_TEXT, LENGTH_16, length >> 8, length & 0xff);
}

function asBuffer(text: string): Buffer {
  return Buffer.from(text, WIRE_ENCODING);
}

function joinAsBuffer(frames: readonly EncodedFrame[], length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const frame of frames) at = writeText(bytes, at, frame);
  return bytes;
}

/** The bytes of a frame with such a first byte. */
export function framedBytes(first: number, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerLength(payload.length) + payload.length);
  bytes.set(payload, writeHeader(bytes, 0, first, payload.length));
  return bytes;
}

function isSame(some: readonly EncodedFrame[], others: readonly EncodedFrame[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
}

function frameText(frame: EncodedFrame): Buffer {
  const bytes = Buffer.allocUnsafe(headerLength(frame.byteLength) + frame.byteLength);
  writeText(bytes, 0, frame);
  return bytes;
}

/** Returns where the next one begins. */
function writeText(bytes: Buffer, at: number, { text, byteLength, framed }: EncodedFrame): number {
  if (typeof framed === 'object') {
    bytes.set(framed, at);
    return at + framed.length;
  }
  const start = writeHeader(bytes, at, FIN_TEXT, byteLength);
  bytes.write(text, start);
  return start + byteLength;
}

/** Returns where the payload begins. */
function writeHeader(bytes: Buffer, at: number, first: number, length: number): number {
  bytes[at] = first;
  if (length < LENGTH_16) {
    bytes[at + 1] = length;
  } else if (length < 0x10000) {
    bytes[at + 1] = LENGTH_16;
    bytes.writeUInt16BE(length, at + 2);
  } else {
    bytes[at + 1] = LENGTH_64;
    bytes.writeBigUInt64BE(BigInt(length), at + 2);
  }
  return at + headerLength(length);
}

function headerLength(length: number): number {
  if (length < LENGTH_16) return 2;
  return length < 0x10000 ? 4 : 10;
}

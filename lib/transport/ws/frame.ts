import type { EncodedFrame } from '../../core/encoded-frame.js';

/** FIN and the opcode of a text frame, RFC 6455 section 5.2. */
const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * Frames of one turn are joined up to here. Of longer ones a write for each costs no more than to copy them, and who
 * reads slowly would keep a copy of his own of what is shared.
 */
export const MAX_JOINED_BYTES = 65_536;

/** By the length of the text. */
const SHORT_HEADERS = Array.from({ length: LENGTH_16 }, (_, length) => String.fromCharCode(FIN_TEXT, length));

interface Joined {
  readonly frames: readonly EncodedFrame[];
  readonly bytes: Uint8Array;
}

/** What was joined since the last turn, by the last frame of each. */
const joined = new Map<EncodedFrame, Joined>();

/** The bytes of a text frame from a server: unmasked, in one fragment. Made once, shared by all who get it. */
export function framedText(frame: EncodedFrame): Uint8Array {
  return (frame.framed ??= frameText(frame));
}

/**
 * The bytes of the frames of one turn, or `undefined` where they are too long to be joined. All who get the same ones
 * in a turn get the same bytes. They are kept no longer: a frame may be, while it waits for a slow reader.
 */
export function joinedTexts(frames: readonly EncodedFrame[]): Uint8Array | undefined {
  const last = frames.at(-1) as EncodedFrame;
  const known = joined.get(last);
  if (known && isSame(known.frames, frames)) return known.bytes;
  let length = 0;
  for (const { byteLength } of frames) length += headerLength(byteLength) + byteLength;
  if (length > MAX_JOINED_BYTES) return undefined;
  const bytes = frames.every(isShort) ? joinShort(frames) : joinAny(frames, length);
  if (joined.size === 0) queueMicrotask(() => joined.clear());
  joined.set(last, { frames, bytes });
  return bytes;
}

/** Whether it has no character beyond ASCII, a header of two bytes, and nobody has framed it. */
function isShort({ text, byteLength, framed }: EncodedFrame): boolean {
  return byteLength === text.length && byteLength < LENGTH_16 && framed === undefined;
}

/** As one text, in which each character is a byte: one call for all of them. */
function joinShort(frames: readonly EncodedFrame[]): Buffer {
  let text = '';
  for (const frame of frames) text += SHORT_HEADERS[frame.byteLength] + frame.text;
  return Buffer.from(text, 'latin1');
}

function joinAny(frames: readonly EncodedFrame[], length: number): Buffer {
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
  if (framed) {
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

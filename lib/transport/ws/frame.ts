import type { EncodedFrame } from '../../core/encoded-frame.js';

/** FIN and the opcode of a text frame, RFC 6455 section 5.2. */
const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** The bytes of a text frame from a server: unmasked, in one fragment. Made once, shared by all who get it. */
export function framedText(frame: EncodedFrame): Uint8Array {
  return (frame.framed ??= frameText(frame.text, frame.byteLength));
}

function frameText(text: string, length: number): Buffer {
  const headerLength = length < LENGTH_16 ? 2 : length < 0x10000 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(headerLength + length);
  bytes[0] = FIN_TEXT;
  if (headerLength === 2) {
    bytes[1] = length;
  } else if (headerLength === 4) {
    bytes[1] = LENGTH_16;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = LENGTH_64;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  bytes.write(text, headerLength);
  return bytes;
}

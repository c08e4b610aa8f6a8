// Raw TCP clients that only count bytes, so that the load side is never what is measured.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';

/** A masked text frame with a key of zeros: masking costs the client nothing. */
export function frame(text) {
  const payload = Buffer.from(text);
  if (payload.length > 0xffff) throw new RangeError('the benches send short frames');
  const short = payload.length < 126;
  const header = short
    ? Buffer.from([0x81, 0x80 | payload.length])
    : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}

/** The same, deflated: RFC 7692, section 7.2.1. */
export function deflatedFrame(text) {
  const flushed = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
  const bytes = frame(flushed.subarray(0, -4));
  bytes[0] |= 0x40;
  return bytes;
}

/** Connects, upgrades and hands every further chunk's length to `onBytes`. */
export function open(port, onBytes) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    socket.once('data', (head) => {
      if (!head.includes('101')) {
        reject(new Error(head.toString()));
        return;
      }
      socket.on('data', (chunk) => onBytes(chunk.length, socket, chunk));
      resolve(socket);
    });
  });
}

/** Length of the first frame in a chunk, header included. */
export function frameLength(chunk) {
  const length = chunk[1] & 0x7f;
  if (length < 126) return length + 2;
  return length === 126 ? chunk.readUInt16BE(2) + 4 : Number(chunk.readBigUInt64BE(2)) + 10;
}

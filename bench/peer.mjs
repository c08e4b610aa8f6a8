// A WebSocket by hand, for peers by the thousand: one text frame at a time, and pongs as a browser sends them.
import { once } from 'node:events';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';

const OPCODES = { text: 0x1, close: 0x8, ping: 0x9 };

/**
 * Resolves when the server has said 101.
 *
 * @param to - `port`, and unless the usual ones: `path`, `protocol`, `authorization`, and `localAddress`, of which each has ports
 * of its own
 */
export async function openPeer({ port, path = '/ws', protocol, authorization, localAddress }) {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  // No extension is offered, so that nothing is compressed whatever the server has as its default.
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      (protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : '') +
      (authorization ? `Authorization: ${authorization}\r\n` : '') +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  const [bytes] = await once(socket, 'data');
  // A server may speak first, in the same packet.
  const end = bytes.indexOf('\r\n\r\n') + 4;
  const head = bytes.toString('latin1', 0, end);
  if (!head.includes(' 101 ')) {
    socket.destroy();
    throw new Error(head.split('\r\n', 1)[0]);
  }
  if (end < bytes.length) socket.unshift(bytes.subarray(end));
  return socket;
}

/** Takes what comes apart, which may come in pieces, and answers pings. */
export function readFrames(socket, { onText, onPing = () => {}, onClose = () => {} }) {
  let rest;
  const take = (opcode, payload) => {
    if (opcode === OPCODES.text) onText(payload);
    else if (opcode === OPCODES.ping) {
      onPing();
      socket.write(pong(payload));
    } else if (opcode === OPCODES.close) {
      onClose(payload.length >= 2 ? payload.readUInt16BE(0) : undefined);
      socket.destroy();
    }
  };
  socket.on('data', (chunk) => {
    const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    for (;;) {
      const start = at + headLength(bytes, at);
      const end = start + payloadLength(bytes, at);
      // Where the head is not there yet, neither is the end a number.
      if (!(end <= bytes.length)) break;
      take(bytes[at] & 0xf, bytes.subarray(start, end));
      at = end;
    }
    rest = at < bytes.length ? bytes.subarray(at) : undefined;
  });
}

function headLength(bytes, at) {
  return bytes[at + 1] === 126 ? 4 : 2;
}

/** @returns undefined where too little is there; what a bench sends is never longer than 65,535 bytes */
function payloadLength(bytes, at) {
  const short = bytes[at + 1];
  if (short !== 126) return short;
  return at + 4 <= bytes.length ? bytes.readUInt16BE(at + 2) : undefined;
}

/** Masked, with a key of zeros, and with the payload of the ping. */
function pong(payload) {
  return Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

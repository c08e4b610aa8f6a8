// node bench/flood-attacker.mjs <port> <kind> <seconds>: writes one kind of frame as fast as the server takes it, and
// tells its parent when and how the connection has ended.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { frame } from './load.mjs';

const KINDS = {
  messages: () => frame('{"event":"echo","data":1}'),
  acked: () => frame('{"event":"acked","data":1}'),
  pings: () => Buffer.from([0x89, 0x80, 0, 0, 0, 0]),
  joins: (at) => frame(`{"event":"$subscribe","id":${at},"data":{"channel":"room:${at % 100}"}}`),
  bytes: () => frame(JSON.stringify({ event: '$pong', data: 'x'.repeat(60_000) })),
};
/** About so much is handed to the socket at once. */
const CHUNK_BYTES = 65_536;

const [port, kind, seconds] = process.argv.slice(2);
const frames = [];
for (let at = 0, bytes = 0; bytes < CHUNK_BYTES; at++) {
  const one = KINDS[kind](at);
  bytes += one.length;
  frames.push(one);
}
const chunk = Buffer.concat(frames);

const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
let received = Buffer.alloc(0);
socket.on('error', () => undefined);
const over = new Promise((resolve) => socket.once('close', resolve));
socket.write(
  `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Protocol: nestjs-channels.v1.json\r\nSec-WebSocket-Version: 13\r\n' +
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
);
await once(socket, 'data');
// The last bytes are enough: a close frame is the last one.
socket.on('data', (bytes) => (received = Buffer.concat([received, bytes]).subarray(-200)));

const began = performance.now();
setTimeout(() => socket.destroy(), Number(seconds) * 1_000);
while (!socket.destroyed) {
  if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), over]);
  else await nextTurn();
}
await over;
process.send({ type: 'ended', ms: performance.now() - began, bytes: socket.bytesWritten, code: closeCode() });
process.exit();

function closeCode() {
  const at = received.lastIndexOf(0x88);
  return at < 0 || at + 4 > received.length ? undefined : received.readUInt16BE(at + 2);
}

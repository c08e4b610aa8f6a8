// The peers of bench/idle.mjs, in a process of their own: they connect, join, and answer pings as a browser does.
import { once } from 'node:events';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { frame } from './load.mjs';

/** Handshakes that one process has under way at the same time. */
const BATCH = 50;
const OPCODES = { text: 0x1, close: 0x8, ping: 0x9 };

const sockets = new Set();
const counts = { refused: 0, dropped: 0, pings: 0, reasons: {} };
let stopping = false;

process.on('disconnect', () => process.exit());
process.on('message', async ({ type, ...order }) => {
  if (type === 'open') await openMany(order);
  if (type === 'reset') Object.assign(counts, { dropped: 0, pings: 0 });
  if (type === 'close') await closeAll();
  process.send({ type, open: sockets.size, ...counts });
});

async function openMany({ port, from, count, joins }) {
  for (let at = from; at < from + count; at += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, from + count - at) }, (_, offset) =>
      openOne(port, at + offset, joins).catch((error) => {
        counts.refused++;
        note(error.message);
      }),
    );
    await Promise.all(batch);
  }
}

/** Resolves when the peer is connected and in its channels. */
async function openOne(port, number, joins) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(upgrade(port, joins));
  const [head] = await once(socket, 'data');
  if (!head.includes(' 101 ')) {
    socket.destroy();
    throw new Error(head.toString('latin1').split('\r\n', 1)[0]);
  }
  sockets.add(socket);
  socket.on('error', (error) => note(error.message));
  socket.on('close', () => {
    sockets.delete(socket);
    if (!stopping) counts.dropped++;
  });
  await join(socket, joins ? channelsOf(number) : []);
}

function upgrade(port, joins) {
  // No extension is offered, so that nothing is compressed whatever the server has as its default.
  return (
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    (joins ? 'Sec-WebSocket-Protocol: nestjs-channels.v1.json\r\n' : '') +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`
  );
}

/** One that many share, and one of its own: the usual room and inbox. */
function channelsOf(number) {
  return [`room:${number % 100}`, `room:user-${number}`];
}

/** Listens from here on; resolves when every join has been answered. */
function join(socket, channels) {
  return new Promise((resolve, reject) => {
    let unanswered = channels.length;
    const onText = (text) => {
      const answer = JSON.parse(text);
      if (answer.ack === undefined || answer.error) reject(new Error(text));
      else if (--unanswered === 0) resolve();
    };
    socket.on('data', reader(socket, onText));
    for (const [id, channel] of channels.entries())
      socket.write(frame(JSON.stringify({ event: '$subscribe', id, data: { channel } })));
    if (unanswered === 0) resolve();
  });
}

/** Takes frames apart, which may come in pieces. All that a server sends here is shorter than 126 bytes. */
function reader(socket, onText) {
  let rest;
  return (chunk) => {
    let bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
    while (bytes.length >= 2 && bytes.length >= 2 + bytes[1]) {
      const end = 2 + bytes[1];
      take(socket, bytes[0] & 0xf, bytes.subarray(2, end), onText);
      bytes = bytes.subarray(end);
    }
    rest = bytes.length > 0 ? bytes : undefined;
  };
}

function take(socket, opcode, payload, onText) {
  if (opcode === OPCODES.text) onText(payload.toString());
  else if (opcode === OPCODES.ping) {
    counts.pings++;
    socket.write(pong(payload));
  } else if (opcode === OPCODES.close) {
    note(`close ${payload.length >= 2 ? payload.readUInt16BE(0) : ''}`);
    socket.destroy();
  }
}

/** Masked, with a key of zeros, and with the payload of the ping. */
function pong(payload) {
  return Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function note(reason) {
  counts.reasons[reason] = (counts.reasons[reason] ?? 0) + 1;
}

async function closeAll() {
  stopping = true;
  const closed = [...sockets].map((socket) => once(socket, 'close'));
  // A reset leaves no port in TIME_WAIT for the next round.
  for (const socket of sockets) socket.resetAndDestroy();
  await Promise.all(closed);
  stopping = false;
}

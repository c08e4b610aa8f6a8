// The peers of bench/idle.mjs, in a process of their own: they connect, join, and answer pings as a browser does.
import { once } from 'node:events';
import { frame } from './load.mjs';
import { openPeer, readFrames } from './peer.mjs';

/** Handshakes that one process has under way at the same time. */
const BATCH = 50;

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
  const socket = await openPeer({ port, protocol: joins ? 'nestjs-channels.v1.json' : undefined });
  sockets.add(socket);
  socket.on('error', (error) => note(error.message));
  socket.on('close', () => {
    sockets.delete(socket);
    if (!stopping) counts.dropped++;
  });
  await join(socket, joins ? channelsOf(number) : []);
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
    readFrames(socket, {
      onText,
      onPing: () => counts.pings++,
      onClose: (code) => note(`close ${code ?? ''}`),
    });
    for (const [id, channel] of channels.entries())
      socket.write(frame(JSON.stringify({ event: '$subscribe', id, data: { channel } })));
    if (unanswered === 0) resolve();
  });
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

// Peers that all listen to one channel, in a process of their own: what each of them is given, and how late.
import { frame } from './load.mjs';
import { now } from './numbers.mjs';
import { openPeer, readFrames } from './peer.mjs';
import { Tape } from './tape.mjs';

/** Handshakes that are under way at the same time. */
const BATCH = 50;

/** How each server is spoken to: `read` tells what a text frame means, and answers it where it must. */
const DIALECTS = {
  channels: {
    protocol: 'nestjs-channels.v1.json',
    join: (channel) => frame(JSON.stringify({ event: '$subscribe', id: 1, data: { channel } })),
    read(text) {
      const { ack, event, error, data } = JSON.parse(text);
      return { isJoined: ack === 1 && !error, refusal: error?.code, data: event === 'message' && data };
    },
  },
  'socket.io': {
    path: '/socket.io/?EIO=4&transport=websocket',
    join: () => frame('40'),
    read(text, socket) {
      if (text === '2') socket.write(frame('3'));
      const isMessage = text.startsWith('42');
      return {
        isJoined: text.startsWith('40'),
        refusal: text.startsWith('44') && text,
        data: isMessage && JSON.parse(text.slice(2))[1],
      };
    },
  },
};

const tapes = [];
const result = { joined: 0, failed: 0, dropped: 0, reasons: {} };
/** Milliseconds from publication to delivery, and how often each. */
let latencies = {};

process.on('disconnect', () => process.exit());
process.on('message', async ({ type, ...order }) => {
  process.send({ type, ...(await ORDERS[type](order)) });
});

const ORDERS = {
  async open({ count, dialect, ...to }) {
    for (let left = count; left > 0; left -= BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, left) }, () =>
        openOne(DIALECTS[dialect], to).then(
          () => result.joined++,
          (error) => {
            result.failed++;
            note(error.message);
          },
        ),
      );
      await Promise.all(batch);
    }
    return result;
  },

  reset() {
    latencies = {};
  },

  latencies: () => ({ latencies }),

  behind: ({ last }) => ({ count: tapes.filter((tape) => tape.last < last).length }),

  result({ last }) {
    for (const tape of tapes) tape.end(last);
    return { ...result, delivered: sum('delivered'), repeated: sum('repeated'), holes: sum('holes') };
  },
};

/** Resolves when the peer is in its channel. */
async function openOne({ protocol, path, join, read }, { port, localAddress, channel }) {
  const socket = await openPeer({ port, path, protocol, localAddress });
  const tape = new Tape();
  await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed before it was in its channel')));
    readFrames(socket, {
      onText(payload) {
        const { isJoined, refusal, data } = read(payload.toString(), socket);
        if (isJoined) resolve();
        if (refusal) reject(new Error(refusal));
        if (data) take(tape, data);
      },
      onClose: (code) => note(`close ${code}`),
    });
    socket.write(join(channel));
  });
  socket.on('close', () => result.dropped++);
  tapes.push(tape);
}

function take(tape, { number, at }) {
  tape.take(number);
  const ms = Math.round(now() - at);
  latencies[ms] = (latencies[ms] ?? 0) + 1;
}

function sum(key) {
  return tapes.reduce((total, tape) => total + tape[key], 0);
}

function note(reason) {
  result.reasons[reason] = (result.reasons[reason] ?? 0) + 1;
}

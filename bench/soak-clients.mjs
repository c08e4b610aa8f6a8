// The peers of bench/soak.mjs, in a process of their own: each connects, does a few things at random, and goes in
// one way or the other. Arguments: port, seed, how many are there at a time.
import { frame } from './load.mjs';
import { openPeer, readFrames } from './peer.mjs';

const KINDS = ['live', 'kept', 'present', 'latest', 'oldest'];
const ROOMS = 20;
const MOST_STEPS = 6;
const MOST_PAUSE_MS = 20;

/** An answer, or an end, that does not come. */
const PATIENCE_MS = 5_000;

const [port, seed, crowd] = process.argv.slice(2).map(Number);
const counts = { connections: 0, refused: 0, unanswered: 0, steps: 0 };
let state = seed;
const stopping = { isOver: false };

process.on('disconnect', () => process.exit());
process.on('message', async ({ type }) => {
  if (type === 'stop') {
    stopping.isOver = true;
    await all;
  }
  process.send({ type, ...counts });
});
const all = Promise.all(Array.from({ length: crowd }, live));

/** Mulberry32, as the tests have it. */
function chance() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

function below(end) {
  return Math.floor(chance() * end);
}

/** One place: a peer after the other. */
async function live() {
  while (!stopping.isOver) {
    const number = ++counts.connections;
    try {
      // One after the other is what a place is.
      await visit(number);
    } catch {
      counts.refused++;
    }
  }
}

async function visit(number) {
  const isOurs = chance() < 0.8;
  // A path that no gateway has, too.
  const path = chance() < 0.02 ? '/nowhere' : '/ws';
  const socket = await openPeer({ port, path, protocol: isOurs ? 'nestjs-channels.v1.json' : undefined });
  socket.on('error', () => undefined);
  const answers = new Map();
  readFrames(socket, { onText: (text) => answers.get(JSON.parse(text).ack)?.() });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  for (let step = below(MOST_STEPS); step >= 0 && !socket.destroyed; step--) {
    counts.steps++;
    const id = `${number}-${step}`;
    const answered = new Promise((resolve) => answers.set(id, resolve));
    socket.write(frame(JSON.stringify({ ...draw(number), id })));
    if (chance() < 0.7) await inTime(Promise.race([answered, ended]));
    else if (chance() < 0.5) await pause();
  }
  leave(socket);
  await inTime(ended);
  socket.destroy();
}

function draw(number) {
  const channel = `${KINDS[below(KINDS.length)]}:${below(ROOMS)}`;
  const what = below(8);
  if (what === 0) return { event: '$hello', data: { clientId: String(number % 5_000).padStart(22, 'c') } };
  if (what <= 3) return { event: '$subscribe', data: { channel } };
  if (what === 4) return { event: '$unsubscribe', data: { channel } };
  if (what === 5) return { event: 'late' };
  return { event: what === 6 ? 'acked' : 'echo', data: 'x'.repeat(below(300)) };
}

/** A reset, an end, a close frame, or half a frame and a reset. */
function leave(socket) {
  const way = below(4);
  if (way === 0) socket.end();
  else if (way === 1) socket.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]));
  else if (way === 2) socket.resetAndDestroy();
  else socket.write(Buffer.from([0x81, 0xfe, 0x10]), () => socket.resetAndDestroy());
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, below(MOST_PAUSE_MS)));
}

function inTime(answered) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      counts.unanswered++;
      resolve();
    }, PATIENCE_MS);
    void answered.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

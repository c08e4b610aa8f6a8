// node bench/floods.mjs [--clients n] [--seconds n] [--off]: one client writes one kind of frame as fast as it can,
// while others make requests. When is it closed, and what do the others see? With --off the server has no rates: a
// control, whose bars are missed.
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { checkBar, numberOf, printTable } from './numbers.mjs';
import { end, endWithin, nextOf, withServer } from './serve.mjs';

const KINDS = ['messages', 'acked', 'pings', 'joins', 'bytes'];
const BARS = { closedMs: 2_000, p99Ms: 100, code: 4429 };
/** Each of the others asks so often. */
const ASK_EVERY_MS = 100;

const clients = numberOf('clients', 100);
const seconds = numberOf('seconds', 5);
const args = process.argv.includes('--off') ? [0] : [];
endWithin(5);

const results = [];
for (const kind of ['nothing', ...KINDS])
  results.push(await withServer('floods', (server) => run(server, kind), args));
printTable(
  [
    'flood of',
    'closed after, ms',
    'code',
    'written, MiB',
    'requests of the others',
    'p50, ms',
    'p99, ms',
    'worst, ms',
  ],
  results.map(({ kind, ms, code, bytes, times }) => [
    kind,
    ms?.toFixed(0) ?? '–',
    code ?? '–',
    bytes === undefined ? '–' : (bytes / 2 ** 20).toFixed(1),
    times.length,
    ...[0.5, 0.99, 1].map((share) => quantile(times, share).toFixed(1)),
  ]),
);
for (const { kind, ms, code, times } of results) {
  if (ms !== undefined) {
    checkBar(`a flood of ${kind} is closed within ${BARS.closedMs} ms`, ms <= BARS.closedMs);
    checkBar(`a flood of ${kind} is closed with ${code ?? 'nothing'} (${BARS.code})`, code === BARS.code);
  }
  checkBar(`beside ${kind} p99 < ${BARS.p99Ms} ms`, quantile(times, 0.99) < BARS.p99Ms);
}

async function run({ port }, kind) {
  const times = [];
  const sockets = await Promise.all(Array.from({ length: clients }, () => openClient(port, times)));
  await sleep(1_000);
  times.length = 0;
  const ended = kind === 'nothing' ? await sleep(2_000) : await attack(port, kind);
  for (const { stop } of sockets) stop();
  const failed = sockets.filter(({ socket }) => socket.readyState !== WebSocket.OPEN).length;
  if (failed > 0) checkBar(`beside ${kind} nobody else is closed (${failed} were)`, false);
  return { kind, ...ended, times };
}

async function attack(port, kind) {
  const child = fork(new URL('./flood-attacker.mjs', import.meta.url), [String(port), kind, String(seconds)]);
  try {
    const ended = await nextOf(child, 'ended');
    // What the flood has left behind counts, too.
    await sleep(500);
    return ended;
  } finally {
    await end(child);
  }
}

async function openClient(port, times) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, 'nestjs-channels.v1.json');
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const sent = new Map();
  let id = 0;
  socket.on('message', (text) => {
    const { ack } = JSON.parse(String(text));
    if (!sent.has(ack)) return;
    times.push(performance.now() - sent.get(ack));
    sent.delete(ack);
  });
  const timer = setInterval(() => {
    id += 1;
    sent.set(id, performance.now());
    socket.send(JSON.stringify({ event: 'echo', id, data: 1 }));
  }, ASK_EVERY_MS);
  const stop = () => {
    clearInterval(timer);
    // Who has no answer yet has waited for so long at least.
    for (const at of sent.values()) times.push(performance.now() - at);
  };
  return { socket, stop };
}

function quantile(times, share) {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

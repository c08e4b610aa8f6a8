// npm run soak [-- --seconds n] [--seed n] [--crowd n] [--least n] [--leak memory|native|table|full] [--json]: peers that connect,
// subscribe, send and go at random, in all ways there are. The memory and the handles of the server have to stay level,
// and when everybody has gone every table in it has to be empty. --leak makes one on purpose, which has to be found.
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkBar, median, numberOf, printTable } from './numbers.mjs';
import { ask, end, endWithin, startServer } from './serve.mjs';

const MIB = 1_048_576;

/** Compiled code and the room of tables grow at first: what is compared begins behind so much of the time. */
const WARM_UP_SHARE = 0.25;
const SAMPLES = 20;

/** What the middle of the last samples may have more than that of the first ones. */
const MOST_GROWTH_SHARE = 0.1;
const MOST_GROWTH_BYTES = 3 * MIB;
/** What the allocator keeps moves more than the heap in it. */
const MOST_RSS_GROWTH_SHARE = 0.2;
const MOST_RSS_GROWTH_BYTES = 24 * MIB;
const MOST_MORE_HANDLES = 5;

/** The windows of the server are 3 s, and it looks once a second. */
const MOST_EMPTY_MS = 12_000;
const LOOK_EVERY_MS = 250;

/**
 * Bounded by an option, and kept on purpose: the positions of the channels that there were (maxHistories), and
 * revocations that are over until their room is needed (maxRevocations, which the server has at 50).
 */
const KEPT = { 'broker.histories': 40, revocations: 50 };

const seconds = numberOf('seconds', 900);
const seed = numberOf('seed', Date.now() % 1_000_000);
const crowd = numberOf('crowd', 100);
const least = numberOf('least', Math.floor((200_000 / 900) * seconds));
const leakAt = process.argv.indexOf('--leak');
const leak = leakAt < 0 ? [] : [process.argv[leakAt + 1]];
endWithin(seconds / 60 + 3);

const server = await startServer('soak', leak);
const clients = fork(new URL('./soak-clients.mjs', import.meta.url), [server.port, seed, crowd].map(String));
const startedAt = performance.now();
const samples = [];
try {
  while (samples.length < SAMPLES) {
    // A sample after the other, evenly over the time.
    await sleep((seconds * 1_000) / SAMPLES);
    samples.push(await sample());
  }
  const counts = await ask(clients, 'stop');
  const tookSeconds = (performance.now() - startedAt) / 1_000;
  server.send({ type: 'quiet' });
  const left = await emptied();
  report(counts, tookSeconds, left);
} finally {
  await end(clients);
  await server.end();
}

async function sample() {
  const { heapUsed, rss } = await server.ask('memory');
  const { handles } = await server.ask('handles');
  const { sizes } = await server.ask('sizes');
  return { heapUsed, rss, handles: handles - sizes.connections };
}

/** The tables that are not empty when everything had its time to go. */
async function emptied() {
  const until = performance.now() + MOST_EMPTY_MS;
  for (;;) {
    const { sizes } = await server.ask('sizes');
    const left = Object.entries(sizes).filter(([name, size]) => size > (KEPT[name] ?? 0));
    if (left.length === 0 || performance.now() > until) return { left, tables: Object.keys(sizes).length };
    await sleep(LOOK_EVERY_MS);
  }
}

function report(counts, tookSeconds, { left, tables }) {
  const level = samples.slice(Math.floor(WARM_UP_SHARE * SAMPLES));
  const part = Math.floor(level.length / 3);
  const ends = (key) =>
    [level.slice(0, part), level.slice(-part)].map((of) => median(of.map((at) => at[key])));
  const [heapBefore, heapAfter] = ends('heapUsed');
  const [rssBefore, rssAfter] = ends('rss');
  const [handlesBefore, handlesAfter] = ends('handles');
  const rate = counts.connections / tookSeconds;
  const most = heapBefore + Math.max(MOST_GROWTH_SHARE * heapBefore, MOST_GROWTH_BYTES);
  const mostRss = rssBefore + Math.max(MOST_RSS_GROWTH_SHARE * rssBefore, MOST_RSS_GROWTH_BYTES);
  const names = left.map(([name, size]) => `${name}: ${size}`).join(', ');
  const codes = counts.refused > 0 ? JSON.stringify(counts.refusedWith) : '';
  const bars = [
    [
      `${counts.connections} connections, ${rate.toFixed(0)} a second (at least ${least})`,
      counts.connections >= least,
    ],
    [`heap ${inMib(heapAfter)} MiB at the end (at most ${inMib(most)})`, heapAfter <= most],
    [`RSS ${inMib(rssAfter)} MiB at the end (at most ${inMib(mostRss)})`, rssAfter <= mostRss],
    [
      `${handlesAfter - handlesBefore} more handles (at most ${MOST_MORE_HANDLES})`,
      handlesAfter - handlesBefore <= MOST_MORE_HANDLES,
    ],
    [`${counts.unanswered} messages without an answer (0)`, counts.unanswered === 0],
    [`${counts.refused} turned away without a reason (0) ${codes}`, counts.refused === 0],
    [`${counts.letIn} let in that had to be turned away (0)`, counts.letIn === 0],
    [
      `${counts.ended} sessions ended, ${counts.revoked} revoked (some)`,
      counts.ended > 0 && counts.revoked > 0,
    ],
    [`${left.length} of ${tables} tables are not empty ${names && `(${names})`}`, left.length === 0],
  ];
  if (process.argv.includes('--json')) {
    const missed = bars.filter(([, isMet]) => !isMet).map(([text]) => text);
    console.log(JSON.stringify({ seed, ...counts, tookSeconds, rate, samples, tables, missed }));
    if (missed.length > 0) process.exitCode = 1;
    return;
  }
  console.log(
    `seed ${seed}: ${counts.connections} connections, ${counts.steps} messages in ${tookSeconds.toFixed(0)} s`,
  );
  printTable(
    ['', 'heap MiB', 'RSS MiB', 'handles beside sockets'],
    [
      ['after the warm-up', inMib(heapBefore), inMib(rssBefore), handlesBefore],
      ['at the end', inMib(heapAfter), inMib(rssAfter), handlesAfter],
    ],
  );
  for (const [text, isMet] of bars) checkBar(text, isMet);
}

function inMib(bytes) {
  return (bytes / MIB).toFixed(1);
}

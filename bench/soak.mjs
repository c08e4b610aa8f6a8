// npm run soak [-- --seconds n] [--seed n] [--crowd n] [--least n] [--leak memory|native|table|full] [--json]: peers that connect,
// subscribe, send and go at random, in all ways there are. Once when the server has warmed up, and in the end, all of
// them go: then every table has to be empty, and the memory and the handles of the server have to be what they were,
// however busy it was in between. --leak makes a leak on purpose, which has to be found.
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkBar, numberOf, printTable } from './numbers.mjs';
import { ask, end, endWithin, startServer } from './serve.mjs';

const MIB = 1_048_576;

/** Compiled code and the room of tables grow at first: what is compared begins behind so much of the time. */
const WARM_UP_SHARE = 0.25;

/** What may be there more in the end. */
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
let tookSeconds = 0;
try {
  const before = await run(WARM_UP_SHARE * seconds);
  const after = await run((1 - WARM_UP_SHARE) * seconds);
  report(before, after);
} finally {
  await end(clients);
  await server.end();
}

/** What the server has when so much time has passed, and everybody has gone. */
async function run(forSeconds) {
  const startedAt = performance.now();
  server.send({ type: 'busy' });
  await ask(clients, 'go');
  await sleep(forSeconds * 1_000);
  const counts = await ask(clients, 'rest');
  tookSeconds += (performance.now() - startedAt) / 1_000;
  server.send({ type: 'quiet' });
  const left = await emptied();
  const { heapUsed, rss } = await server.ask('memory');
  const { handles } = await server.ask('handles');
  return { counts, ...left, heapUsed, rss, handles };
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

function report(before, after) {
  const { counts, tables } = after;
  const [heapBefore, heapAfter] = [before.heapUsed, after.heapUsed];
  const [rssBefore, rssAfter] = [before.rss, after.rss];
  const rate = counts.connections / tookSeconds;
  const most = heapBefore + Math.max(MOST_GROWTH_SHARE * heapBefore, MOST_GROWTH_BYTES);
  const mostRss = rssBefore + Math.max(MOST_RSS_GROWTH_SHARE * rssBefore, MOST_RSS_GROWTH_BYTES);
  const codes = counts.refused > 0 ? JSON.stringify(counts.refusedWith) : '';
  const bars = [
    [
      `${counts.connections} connections, ${rate.toFixed(0)} a second (at least ${least})`,
      counts.connections >= least,
    ],
    [`heap ${inMib(heapAfter)} MiB at the end (at most ${inMib(most)})`, heapAfter <= most],
    [`RSS ${inMib(rssAfter)} MiB at the end (at most ${inMib(mostRss)})`, rssAfter <= mostRss],
    [
      `${after.handles - before.handles} more handles (at most ${MOST_MORE_HANDLES})`,
      after.handles - before.handles <= MOST_MORE_HANDLES,
    ],
    [`${counts.unanswered} messages without an answer (0)`, counts.unanswered === 0],
    [`${counts.refused} turned away without a reason (0) ${codes}`, counts.refused === 0],
    [`${counts.letIn} let in that had to be turned away (0)`, counts.letIn === 0],
    [
      `${counts.ended} sessions ended, ${counts.revoked} revoked (some)`,
      counts.ended > 0 && counts.revoked > 0,
    ],
    ...[before, after].map(({ left }) => {
      const names = left.map(([name, size]) => `${name}: ${size}`).join(', ');
      return [`${left.length} of ${tables} tables are not empty ${names && `(${names})`}`, left.length === 0];
    }),
  ];
  if (process.argv.includes('--json')) {
    const missed = bars.filter(([, isMet]) => !isMet).map(([text]) => text);
    console.log(JSON.stringify({ seed, ...counts, tookSeconds, rate, before, after, tables, missed }));
    if (missed.length > 0) process.exitCode = 1;
    return;
  }
  console.log(
    `seed ${seed}: ${counts.connections} connections, ${counts.steps} messages in ${tookSeconds.toFixed(0)} s`,
  );
  printTable(
    ['when everybody has gone', 'heap MiB', 'RSS MiB', 'handles'],
    [
      ['after the warm-up', inMib(heapBefore), inMib(rssBefore), before.handles],
      ['at the end', inMib(heapAfter), inMib(rssAfter), after.handles],
    ],
  );
  for (const [text, isMet] of bars) checkBar(text, isMet);
}

function inMib(bytes) {
  return (bytes / MIB).toFixed(1);
}

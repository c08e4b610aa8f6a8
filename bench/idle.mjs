// node bench/idle.mjs [--connections n] [--seconds n] [--rounds n] [--heartbeat ms] [--only server]: what idle
// connections cost one server process. Ours is measured with two channels for each peer, and with none, as the others.
// Memory is measured when all are there; `--seconds 120` lets them be pinged, too. Without --heartbeat every server pings
// at its usual interval: ours at 25 s, the recipe of `ws` at 30 s, the stock adapter never.
import { setTimeout as sleep } from 'node:timers/promises';
import { Clients } from './clients.mjs';
import { checkBar, grouped, kib, median, numberOf, printTable } from './numbers.mjs';
import { saveSection, table } from './results.mjs';
import { withServer } from './serve.mjs';

const BARS = { refused: 0, dropped: 0, p99Ms: 50, rssBytes: 9 * 1_024 };
/** Too few to leave much of a heap behind that the measured ones could be put into for nothing. */
const WARM_UP_CONNECTIONS = 300;

/** With fewer, the steps in which a heap grows are all that is seen. */
const FEWEST_FOR_RSS = 5_000;

const connections = numberOf('connections', 12_000);
const seconds = numberOf('seconds', 10);
const rounds = numberOf('rounds', 5);
const heartbeatMs = numberOf('heartbeat', 0);
const only = process.argv[process.argv.indexOf('--only') + 1];

const SERVERS = [
  { name: 'ws', file: 'ws-heartbeat', joins: false },
  { name: 'platform-ws', file: 'platform-ws', joins: false },
  { name: 'channels', file: 'channels', joins: true },
  { name: 'channels, none joined', file: 'channels', joins: false },
].filter(({ name }) => !process.argv.includes('--only') || name === only);

if (SERVERS.length === 0) {
  console.error(`--only takes ws, platform-ws, channels or "channels, none joined", not ${only}`);
  process.exit(2);
}

const runs = new Map(SERVERS.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const server of SERVERS) runs.get(server.name).push(await runOn(server));
}
print();

function runOn({ name, file, joins }) {
  return withServer(
    file,
    async (server) => {
      const clients = new Clients(server.port, joins);
      try {
        const result = { ...(await measure(server, clients)), name };
        console.log(JSON.stringify(result));
        return result;
      } finally {
        await clients.end();
      }
    },
    heartbeatMs > 0 ? [heartbeatMs] : [],
  );
}

async function measure(server, clients) {
  await clients.open(WARM_UP_CONNECTIONS);
  await clients.close();
  while ((await server.ask('connections')).count > 0);
  const before = await server.ask('memory');

  const start = performance.now();
  const { refused } = await clients.open(connections);
  const connectSeconds = (performance.now() - start) / 1_000;
  const after = await server.ask('memory');

  const idle = await hold(server, clients);
  const { count: left } = await server.ask('connections');
  const atEnd = await server.ask('memory');
  const each = (key, at = after) => (at[key] - before[key]) / connections;
  return {
    ...idle,
    refused,
    // Whoever sees it first: a peer that is told, or the server that has one less; also while they came.
    dropped: Math.max(idle.dropped, connections - refused - left),
    rss: each('rss'),
    anonymous: each('anonymous'),
    held: each('heapUsed') + each('rss') - each('heapTotal'),
    rssAtEnd: each('rss', atEnd),
    anonymousAtEnd: each('anonymous', atEnd),
    heap: each('heapUsed'),
    connectSeconds,
    mib: { before: inMib(before), after: inMib(after) },
  };
}

function inMib(memory) {
  return Object.fromEntries(
    ['rss', 'anonymous', 'heapTotal', 'heapUsed'].map((key) => [key, Math.round(memory[key] / 1_048_576)]),
  );
}

/** Nobody says anything but pings and pongs. */
async function hold(server, clients) {
  await clients.tell('reset');
  server.send({ type: 'watch' });
  const before = await server.ask('usage');
  await sleep(seconds * 1_000);
  const delay = await server.ask('delay');
  const { cpu } = await server.ask('usage');
  const { dropped, pings, reasons } = await clients.tell('count');
  const used = cpu.user + cpu.system - before.cpu.user - before.cpu.system;
  return {
    p50Ms: delay.p50 / 1e6,
    p99Ms: delay.p99 / 1e6,
    maxMs: delay.max / 1e6,
    cpuPercent: used / 1e4 / seconds,
    dropped,
    pings: pings / connections,
    reasons,
  };
}

function print() {
  const rows = SERVERS.map(({ name }) => summary(runs.get(name)));
  const base = rows[0];
  const title = `${grouped(connections)} idle connections, ${seconds} s each`;
  const head = [
    'server',
    'RSS KiB each',
    `× ${base.name}`,
    'held KiB',
    'anonymous KiB',
    'heap KiB',
    'refused',
    'dropped',
    'pings each',
    'loop p50 ms',
    'p99',
    'max',
    `p99 × ${base.name}`,
    'CPU %',
  ];
  const cells = rows.map((row) => [
    row.name,
    kib(row.rss),
    (row.rss / base.rss).toFixed(2),
    kib(row.held),
    kib(row.anonymous),
    kib(row.heap),
    row.refused,
    row.dropped,
    row.pings.toFixed(1),
    row.p50Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    row.maxMs.toFixed(1),
    (row.p99Ms / base.p99Ms).toFixed(2),
    row.cpuPercent.toFixed(1),
  ]);
  const text =
    `Of ${rounds} alternating runs the middle one, of what must not happen the worst. Loop delays contain the 10 ms ` +
    'between two looks of the timer that measures them. "Held" is what the heap has of them and what stands outside of ' +
    'it, whatever room the heap had before; "anonymous" is RSS without mapped files, which the kernel may drop.';
  console.log(`\n${title}`);
  printTable(head, cells);
  console.log(text);
  const bars = barsOf(rows);
  for (const bar of bars) checkBar(bar.text, bar.isMet);
  // With less, or something else, it is no result to be kept.
  if (process.argv.slice(2).some((arg) => arg.startsWith('--'))) return;
  const verdicts = bars.map((bar) => `- ${bar.isMet ? 'met' : 'MISSED'}: ${bar.text}`);
  saveSection(
    'idle',
    title,
    [text, '', ...table(head, cells), '', ...verdicts],
    ['ws', '@nestjs/platform-ws'],
  );
}

/** What must not happen counts with its worst round, what varies with its middle one. */
function summary(results) {
  const middle = (key) => median(results.map((result) => result[key]));
  const worst = (key) => Math.max(...results.map((result) => result[key]));
  return {
    name: results[0].name,
    rss: middle('rss'),
    anonymous: middle('anonymous'),
    held: middle('held'),
    heap: middle('heap'),
    pings: middle('pings'),
    p50Ms: middle('p50Ms'),
    cpuPercent: middle('cpuPercent'),
    refused: worst('refused'),
    dropped: worst('dropped'),
    p99Ms: worst('p99Ms'),
    maxMs: worst('maxMs'),
  };
}

function barsOf(rows) {
  const rowOf = (wanted) => rows.find(({ name }) => name === wanted);
  const [joined, none, stock] = ['channels', 'channels, none joined', 'platform-ws'].map(rowOf);
  const bars = joined ? lossesOf(joined) : [];
  if (connections < FEWEST_FOR_RSS) {
    console.log(`RSS says nothing with less than ${FEWEST_FOR_RSS} connections`);
    return bars;
  }
  if (joined) {
    const rss = mostOf(joined);
    bars.push({
      text: `${kib(rss)} KiB of RSS per connection in two channels (at most ${kib(BARS.rssBytes)})`,
      isMet: rss <= BARS.rssBytes,
    });
  }
  if (none && stock) {
    const ratio = mostOf(none) / mostOf(stock);
    bars.push({
      text: `RSS per connection in none ${ratio.toFixed(2)} × platform-ws (below 1)`,
      isMet: ratio < 1,
    });
  }
  return bars;
}

function lossesOf({ refused, dropped, p99Ms }) {
  return [
    { text: `${refused} refused (at most ${BARS.refused})`, isMet: refused <= BARS.refused },
    { text: `${dropped} dropped (at most ${BARS.dropped})`, isMet: dropped <= BARS.dropped },
    { text: `loop delay p99 ${p99Ms.toFixed(1)} ms (at most ${BARS.p99Ms})`, isMet: p99Ms <= BARS.p99Ms },
  ];
}

/** A heap that had room before grows by less than it is given to hold. */
function mostOf({ rss, anonymous, held }) {
  return Math.max(rss, anonymous, held);
}

// npm run bench:jitter [-- --clients n] [--seconds n] [--processes n] [--only server] [--together] [--direct]
// [--kill s] [--json]: real clients in one channel, one publication a second, and every TCP connection cut each 15 s
// and away for 2 s. --together cuts all of them at the same time, --direct without a proxy on the way, --kill ends the
// server by SIGKILL after so many seconds.
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkBar, now, numberOf, percentile, printTable } from './numbers.mjs';
import { ask, end, startServer } from './serve.mjs';

const REPLAY_P99_MS = 3_500;

const PUBLISH_EVERY_MS = 1_000;

/** With its two ends in the proxy each client takes three descriptors, of which a process has 20,000. */
const PER_PROCESS = 2_500;

/** How long everybody may take to be back at the end, and how long to have what is published then. */
const SETTLE_MS = 60_000;
const POLL_MS = 100;

const clients = numberOf('clients', 1_000);
const seconds = numberOf('seconds', 120);
const processes = numberOf('processes', Math.ceil(clients / PER_PROCESS));
const killAt = numberOf('kill', Number.POSITIVE_INFINITY);
const isTogether = process.argv.includes('--together');
const isDirect = process.argv.includes('--direct');
const isJson = process.argv.includes('--json');

const SERVERS = [
  // The client of ours without our protocol: it comes back, and that is all.
  { name: 'ws', file: 'ws', isPlain: true },
  { name: 'no-history', file: 'channels' },
  { name: 'channels', file: 'channels-history' },
].filter(({ name }) => !process.argv.includes('--only') || process.argv.includes(name));

/** The server, which may be killed and started again. */
class Publisher {
  #server;

  constructor(file) {
    this.file = file;
  }

  get port() {
    return this.#server.port;
  }

  async start(...args) {
    this.#server = await startServer(this.file, args);
  }

  publish(number) {
    this.#server.send({ type: 'publish', perTurn: 1, turns: 1, data: { number, at: now() } });
  }

  async restart() {
    const { port } = this;
    await this.end();
    await this.start(port);
  }

  end() {
    return this.#server.end();
  }
}

const results = [];
for (const server of SERVERS) {
  const result = { name: server.name, ...(await runOn(server)) };
  results.push(result);
  if (isJson) console.log(JSON.stringify(result));
}
if (!isJson) print();

async function runOn({ file, isPlain }) {
  const server = new Publisher(file);
  await server.start();
  const crowd = Array.from({ length: processes }, () =>
    fork(new URL('./jitter-clients.mjs', import.meta.url)),
  );
  const tell = (type, order) => Promise.all(crowd.map((child) => ask(child, type, order)));
  try {
    const startedAt = now();
    const count = Math.ceil(clients / processes);
    await Promise.all(
      crowd.map((child, at) =>
        ask(child, 'open', {
          port: server.port,
          isPlain,
          isDirect,
          count: Math.min(count, clients - at * count),
        }),
      ),
    );
    const connectSeconds = (now() - startedAt) / 1_000;
    await tell('start', { isTogether });
    await publishAll(server);
    await tell('stop');
    await settle(() => tell('away'));
    // Whoever has missed the end sees it by this one.
    const last = seconds + 1;
    server.publish(last);
    await settle(() => tell('behind', { last }));
    return summary(await tell('result', { last }), last, connectSeconds);
  } finally {
    await Promise.all(crowd.map(end));
    await server.end();
  }
}

/** One a second, but for the time in which there is no server. */
async function publishAll(server) {
  let dueAt = now();
  for (let number = 1; number <= seconds; number++) {
    dueAt += PUBLISH_EVERY_MS;
    await sleep(Math.max(0, dueAt - now()));
    if (number === killAt) {
      await server.restart();
      dueAt = now();
    }
    server.publish(number);
  }
}

async function settle(count) {
  const endsAt = now() + SETTLE_MS;
  while (now() < endsAt) {
    const counts = await count();
    if (counts.every((each) => each.count === 0)) return;
    await sleep(POLL_MS);
  }
}

function summary(answers, last, connectSeconds) {
  const sum = (key) => answers.reduce((total, answer) => total + (answer[key] ?? 0), 0);
  const latencies = merged(answers.map((answer) => answer.latencies));
  const replays = merged(answers.map((answer) => answer.replays));
  const keys = [
    'clients',
    'delivered',
    'repeated',
    'holes',
    'undetected',
    'told',
    'behind',
    'recovered',
    'cuts',
    'hints',
  ];
  return {
    ...Object.fromEntries(keys.map((key) => [key, sum(key)])),
    published: last,
    deliveredPercent: (100 * sum('delivered')) / (last * sum('clients')),
    replayed: Object.values(replays).reduce((total, count) => total + count, 0),
    replayMs: { p50: percentile(replays, 0.5), p99: percentile(replays, 0.99), max: percentile(replays, 1) },
    allMs: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
    connectSeconds,
  };
}

function merged(counts) {
  const all = {};
  for (const [value, count] of counts.flatMap((each) => Object.entries(each)))
    all[value] = (all[value] ?? 0) + count;
  return all;
}

function print() {
  const how = isTogether ? 'all at once' : 'each network at its own time';
  console.log(`${clients} clients, ${seconds} publications, cut each 15 s for 2 s, ${how}`);
  printTable(
    [
      'server',
      'delivered %',
      'repeated',
      'holes',
      'not told of',
      '$gap',
      'replayed',
      'replay p50 ms',
      'p99',
      'max',
      'all p50 ms',
      'p99',
      'cuts',
    ],
    results.map((row) => [
      row.name,
      row.deliveredPercent.toFixed(2),
      row.repeated,
      row.holes,
      row.undetected,
      row.told,
      row.replayed,
      row.replayMs.p50 ?? '–',
      row.replayMs.p99 ?? '–',
      row.replayMs.max ?? '–',
      row.allMs.p50,
      row.allMs.p99,
      row.cuts,
    ]),
  );
  console.log(
    '"Replayed" is what was published before its client was back: the time is from the publication on,',
  );
  console.log('so that it has what is left of the 2 s. "All" has what came live as well.');
  const ours = results.find(({ name }) => name === 'channels');
  if (ours) checkBars(ours);
}

function checkBars({ deliveredPercent, behind, repeated, undetected, replayMs }) {
  if (killAt === Number.POSITIVE_INFINITY) {
    checkBar(`delivered ${deliveredPercent.toFixed(2)} %: 100.00`, deliveredPercent === 100);
    checkBar(`replay p99 ${replayMs.p99} ms: at most ${REPLAY_P99_MS}`, replayMs.p99 <= REPLAY_P99_MS);
  }
  checkBar(`${behind} clients without the last publication: none`, behind === 0);
  checkBar(`${repeated} repeated: none`, repeated === 0);
  checkBar(`${undetected} holes that nobody told of: none`, undetected === 0);
}

// npm run bench:cluster [-- --subscribers n] [--seconds n] [--rounds n]: what a delivery costs the node that did not
// publish it. One node publishes, all subscribers are on the other one, and a Redis is between them.
import { Crowd } from './crowd.mjs';
import { checkBar, median, numberOf, percentile, printTable } from './numbers.mjs';
import { withRedis } from './redis.mjs';
import { endWithin, withServer } from './serve.mjs';

const BYTES = 120;
const SETTLE_MS = 30_000;

/** Publications before the first that counts: what runs often is compiled by then. */
const WARM_UP = { bursts: 20, perBurst: 5, everyMs: 100 };

const CASES = [
  { name: 'single, 25 ms apart', perBurst: 1, everyMs: 25, bar: 0.7 },
  { name: 'five at once, 100 ms apart', perBurst: 5, everyMs: 100, bar: 0.3 },
];

const SERVERS = [
  { name: 'Socket.IO', file: 'socket-io-redis', dialect: 'socket.io', channel: 'room:1' },
  { name: 'channels', file: 'channels-redis', dialect: 'channels', channel: 'room:1' },
  { name: 'channels, history', file: 'channels-redis', dialect: 'channels', channel: 'kept:1' },
];

const subscribers = numberOf('subscribers', 1_000);
const seconds = numberOf('seconds', 5);
const rounds = numberOf('rounds', 5);
endWithin(2 + rounds);

const runs = new Map(SERVERS.map(({ name }) => [name, []]));
let wrong = 0;
await withRedis(async (url) => {
  // In turns, so that what the machine does besides meets all of them.
  for (let round = 0; round < rounds; round++) {
    for (const server of SERVERS) runs.get(server.name).push(await runOn(server, url));
  }
});
for (const [at, { name, bar }] of CASES.entries()) print(at, name, bar);
checkBar(`${wrong} deliveries lost or repeated: none`, wrong === 0);

function runOn(server, url) {
  return withServer(
    server.file,
    (publisher) => withServer(server.file, (receiver) => measureAll(server, publisher, receiver), [url]),
    [url],
  );
}

/** The results of all cases. */
async function measureAll({ dialect, channel }, publisher, receiver) {
  const crowd = new Crowd();
  let last = 0;
  const publish = async ({ bursts, perBurst, everyMs }) => {
    await publisher.ask('bursts', { channel, bytes: BYTES, first: last + 1, bursts, perBurst, everyMs });
    last += bursts * perBurst;
    await crowd.has(last, SETTLE_MS);
  };
  try {
    const { joined, reasons } = await crowd.open([receiver], { count: subscribers, dialect, channel });
    if (joined < subscribers) throw new Error(`${joined} have joined: ${JSON.stringify(reasons)}`);
    await publish(WARM_UP);
    const results = [];
    for (const each of CASES) results.push(await measure(each, { publish, receiver, crowd }));
    const { repeated, delivered } = await crowd.result(last);
    wrong += repeated + last * subscribers - delivered;
    return results;
  } finally {
    await crowd.end();
  }
}

async function measure({ perBurst, everyMs }, { publish, receiver, crowd }) {
  await crowd.reset();
  const bursts = Math.ceil((seconds * 1_000) / everyMs);
  const before = await receiver.ask('usage');
  await publish({ bursts, perBurst, everyMs });
  const { cpu } = await receiver.ask('usage');
  const latencies = await crowd.latencies();
  const used = cpu.user + cpu.system - before.cpu.user - before.cpu.system;
  return {
    microseconds: used / (bursts * perBurst * subscribers),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

function print(at, name, bar) {
  const rows = SERVERS.map(({ name: server }) => {
    const results = runs.get(server).map((cases) => cases[at]);
    const middle = (key) => median(results.map((result) => result[key]));
    return { server, microseconds: middle('microseconds'), p50: middle('p50'), p99: middle('p99') };
  });
  const [rival, ...ours] = rows;
  console.log(`\n${name}: ${BYTES} bytes to ${subscribers} subscribers, median of ${rounds}`);
  printTable(
    ['server', `CPU, × ${rival.server}`, 'CPU µs per delivery', 'p50 ms', 'p99'],
    rows.map(({ server, microseconds, p50, p99 }) => [
      server,
      (microseconds / rival.microseconds).toFixed(2),
      microseconds.toFixed(2),
      p50,
      p99,
    ]),
  );
  for (const { server, microseconds } of ours) {
    const ratio = microseconds / rival.microseconds;
    checkBar(`${server}: ${ratio.toFixed(2)} × ${rival.server}: at most ${bar}`, ratio <= bar);
  }
}

// npm run bench:nodes [-- --connections n] [--nodes n] [--publications n] [--history]: connections on several nodes,
// all in one channel, and how long until one publication has reached all of them.
import { Crowd } from './crowd.mjs';
import { checkBar, now, numberOf, percentile, printTable } from './numbers.mjs';
import { withRedis } from './redis.mjs';
import { endWithin, startServer } from './serve.mjs';

const BYTES = 100;
const BAR_MS = 3_000;
const SETTLE_MS = 60_000;

const connections = numberOf('connections', 30_000);
const nodeCount = numberOf('nodes', 2);
const publications = numberOf('publications', 5);
const channel = process.argv.includes('--history') ? 'kept:1' : 'room:1';
endWithin(10);

await withRedis(async (url) => {
  const crowd = new Crowd();
  const nodes = [];
  try {
    for (let at = 0; at < nodeCount; at++) nodes.push(await startServer('channels-redis', [url]));
    await run(nodes, crowd);
  } finally {
    await crowd.end();
    await Promise.all(nodes.map((node) => node.end()));
  }
});

async function run(nodes, crowd) {
  const count = Math.ceil(connections / nodeCount);
  const startedAt = now();
  await crowd.open(nodes, { count, dialect: 'channels', channel });
  const connectSeconds = (now() - startedAt) / 1_000;
  const rows = [];
  for (let number = 1; number <= publications; number++) rows.push(await publish(nodes, crowd, number));
  const result = await crowd.result(publications);
  print(rows, { ...result, connectSeconds, expected: count * nodeCount });
}

/** One publication of the first node, and when it was where. */
async function publish([publisher, ...others], crowd, number) {
  await crowd.reset();
  const nodes = [publisher, ...others];
  const before = await usage(nodes);
  await publisher.ask('bursts', { channel, bytes: BYTES, first: number, bursts: 1, perBurst: 1, everyMs: 0 });
  await crowd.has(number, SETTLE_MS);
  const after = await usage(nodes);
  const latencies = await crowd.latencies();
  return {
    number,
    reached: Object.values(latencies).reduce((sum, each) => sum + each, 0),
    p50: percentile(latencies, 0.5),
    max: percentile(latencies, 1),
    cpuMs: after.map((used, at) => Math.round((used - before[at]) / 1_000)),
  };
}

/** Microseconds that each node has worked. */
async function usage(nodes) {
  const answers = await Promise.all(nodes.map((node) => node.ask('usage')));
  return answers.map(({ cpu }) => cpu.user + cpu.system);
}

function print(rows, { expected, joined, failed, dropped, reasons, repeated, holes, connectSeconds }) {
  console.log(
    `\n${expected} connections on ${nodeCount} nodes, all in ${channel}, ${BYTES} bytes from the first node`,
  );
  printTable(
    ['publication', 'reached', 'p50 ms', 'last ms', 'CPU ms of each node'],
    rows.map(({ number, reached, p50, max, cpuMs }) => [number, reached, p50, max, cpuMs.join(', ')]),
  );
  console.log(
    `Connected in ${connectSeconds.toFixed(1)} s. Why some are not there: ${JSON.stringify(reasons)}`,
  );
  const worst = Math.max(...rows.map(({ max }) => max ?? Number.POSITIVE_INFINITY));
  checkBar(
    `${joined} of ${expected} connected, ${failed} failed, ${dropped} dropped: all and none`,
    joined === expected && failed + dropped === 0,
  );
  checkBar(`${holes} without one, ${repeated} twice: none`, holes + repeated === 0 && joined === expected);
  checkBar(`reached the last one in ${worst} ms: at most ${BAR_MS}`, worst <= BAR_MS);
}

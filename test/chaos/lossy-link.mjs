// A server and its clients on the two ends of a link between network namespaces; this process is in that of the
// clients: `--server-namespace <name> --host <address> [--seconds 60] [--clients 20] [--options <json>]`. Says
// `open` when everybody is connected, and at the end as JSON what it has seen.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ChannelsClient } from '../../dist/client/index.js';
import { Crowd } from './crowd.mjs';
import { Exchange } from './exchange.mjs';
import { Ledger } from './ledger.mjs';
import { NodeProcess } from './node-process.mjs';
import { PACKAGE_URL } from './package-copy.mjs';
import { SeededRandom } from './random.mjs';

const CHANNEL = 'deep:all';
const PUBLISH_EVERY_MS = 100;
const SETTLE_MS = 15_000;

const { values } = parseArgs({
  options: {
    'server-namespace': { type: 'string' },
    host: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '20' },
    options: { type: 'string', default: '{}' },
  },
});

const ledger = new Ledger(() => 100);
const random = new SeededRandom(1);
const exchange = new Exchange(ledger, random, 0);
const node = new NodeProcess({
  name: 'node',
  host: values.host,
  exchange,
  ledger,
  packageUrl: PACKAGE_URL,
  settings: { options: JSON.parse(values.options), histories: { 'deep:{name}': 100 } },
  command: ['ip', 'netns', 'exec', values['server-namespace']],
});
let crowd;
try {
  await node.start();
  const place = { url: `ws://${values.host}:${node.port}/ws`, channels: [CHANNEL] };
  const places = Array.from({ length: Number(values.clients) }, () => place);
  // Every option of the clients as it stands by default.
  crowd = new Crowd({ ChannelsClient, ledger, random, places, options: {} });
  await crowd.open();
  console.log('open');
  await run(Number(values.seconds) * 1_000);
  const { losses } = crowd;
  console.log(
    JSON.stringify({ ...ledger.counts, losses, closed: node.closed, violations: ledger.violations }),
  );
} finally {
  crowd?.close();
  await node.end('SIGKILL');
  exchange.close();
}

async function run(ms) {
  let published = 0;
  const publish = () => node.publish(CHANNEL, { n: (published += 1) });
  const publisher = setInterval(publish, PUBLISH_EVERY_MS);
  crowd.startSending();
  await delay(ms);
  clearInterval(publisher);
  crowd.stopSending();
  const deadline = performance.now() + SETTLE_MS;
  while (!ledger.isSettled && performance.now() < deadline) await delay(100);
  ledger.close();
}

// npm run bench:node-death [-- --clients n] [--watchers n] [--hall n] [--rate n] [--seconds n] [--processes n]
// [--json] [--without history,gaps,acks,ids]: SIGKILL of a node with all clients but a few, behind a balancer that passes them
// on to the other one, while it publishes and takes orders (`--rate` in a second, for so many `--seconds` before), and tells
// who is there: everybody is in a channel with presence, with as many connections as `--hall` says.
// `--without` takes out what keeps promises: the history of the channel, the client's ear for `$gap`, `@Acked`, the id of
// the message in the transaction. Then what is lost and doubled has to show.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withBalancer } from './balancer.mjs';
import { PresenceWatch } from './node-death-presence.mjs';
import { Publisher } from './node-death-publisher.mjs';
import { checkBars, printResult, summaryOf } from './node-death-result.mjs';
import { now, numberOf } from './numbers.mjs';
import { withRedis } from './redis.mjs';
import { compileSample } from './sample.mjs';
import { ask, end, endWithin, startServer } from './serve.mjs';

const POLL_MS = 500;

/** How long everybody may take to be back and presence to be right, and then all orders to be answered. */
const RETURN_MS = 60_000;
const ANSWER_MS = 60_000;

/** Orders go on for at least as long behind the death: the first ones wait for the lease of a claim. */
const ORDERS_AFTER_MS = 10_000;

/** One of so many clients goes with its node, and does not come back. */
const LEAVER_SHARE = 1 / 20;

const clients = numberOf('clients', 3_000);
const watchers = numberOf('watchers', Math.ceil(clients / 30));
const hallSize = numberOf('hall', 200);
const rate = numberOf('rate', 200);
const seconds = numberOf('seconds', 6);
const processes = numberOf('processes', 2);
const without = (process.argv[process.argv.indexOf('--without') + 1 || process.argv.length] ?? '').split(',');
const isJson = process.argv.includes('--json');
endWithin(6);

for (const path of ['02-orders/bids', '02-orders/database']) compileSample(path);
process.env.DATABASE = join(mkdtempSync(join(tmpdir(), 'channels-bench-')), 'orders.db');
process.once('exit', () => rmSync(join(process.env.DATABASE, '..'), { recursive: true, force: true }));

const places = placesOf();
const result = await withRedis(async (redis) => {
  const database = await startServer('orders-database', without);
  const start = (name) => startServer('orders-node', [name, redis, database.port, ...without]);
  const [doomed, survivor] = await Promise.all(['doomed', 'survivor'].map(start));
  const nodes = { doomed, survivor };
  const room = places.filter(({ kind }) => kind !== 'watcher').length;
  const crowd = Array.from({ length: processes }, () =>
    fork(new URL('./node-death-clients.mjs', import.meta.url)),
  );
  try {
    return await withBalancer([{ port: nodes.doomed.port, room }, { port: nodes.survivor.port }], (port) =>
      run({ url: `ws://127.0.0.1:${port}/ws`, nodes, database, crowd }),
    );
  } finally {
    await Promise.all([...crowd.map(end), nodes.doomed.end(), nodes.survivor.end(), database.end()]);
  }
});
if (isJson) console.log(JSON.stringify(result));
else {
  printResult(result);
  checkBars(result);
}

/**
 * Two connections for each user; those who leave are a third one, or the only two of theirs. Watchers are on the other
 * node, and every second one is a further connection of somebody whose node dies.
 */
function placesOf() {
  const leavers = Math.ceil(clients * LEAVER_SHARE);
  const halls = Math.ceil(clients / hallSize);
  const hallOf = (number) => Math.floor((2 * number) / hallSize);
  return [
    ...Array.from({ length: clients }, (_, at) => {
      const number = Math.floor(at / 2);
      return { kind: 'client', user: `u${number}`, hall: hallOf(number) };
    }),
    ...Array.from({ length: leavers }, (_, at) => {
      const number = Math.floor(at / 4);
      return { kind: 'leaver', user: at % 4 < 2 ? `gone${number}` : `u${number}`, hall: hallOf(number) };
    }),
    ...Array.from({ length: Math.max(watchers, halls) }, (_, at) => {
      const hall = at % halls;
      const turn = Math.floor(at / halls);
      const first = Math.ceil((hall * hallSize) / 2);
      return { kind: 'watcher', user: turn % 2 ? `w${at}` : `u${first + turn}`, hall };
    }),
  ];
}

async function run({ url, nodes, database, crowd }) {
  const tell = (type, order) => Promise.all(crowd.map((child) => ask(child, type, order)));
  const total = async (type, order) => (await tell(type, order)).reduce((sum, { count }) => sum + count, 0);
  const connectedAt = now();
  await openAll(crowd, url);
  tellProgress('all are connected');
  const connectMs = now() - connectedAt;
  const before = await standOf(tell);
  const presence = new PresenceWatch(places, () => ask(crowd[0], 'halls'));
  const publisher = new Publisher(nodes);
  publisher.start();
  await tell('start', { everyMs: (1_000 * places.length) / rate });
  await sleep(seconds * 1_000);

  const diedAt = now();
  await publisher.killDoomed();
  tellProgress('the node was killed');
  let hasStopped = false;
  await until(diedAt + RETURN_MS, async () => {
    await presence.look(diedAt);
    if (!hasStopped && now() - diedAt >= ORDERS_AFTER_MS) {
      hasStopped = true;
      await tell('stop');
    }
    return hasStopped && presence.isExact && (await total('away')) === 0;
  });
  tellProgress('all are back');
  await until(now() + ANSWER_MS, async () => {
    await presence.look(diedAt);
    return (await total('unanswered')) === 0;
  });
  const last = await publisher.stop();
  await until(now() + RETURN_MS, async () => (await total('behind', { last })) === 0);
  await presence.look(diedAt);
  return summaryOf({
    connectMs,
    diedAt,
    before,
    last,
    customers: (await tell('result', { last })).flatMap(({ customers }) => customers),
    presence: presence.result((await tell('rosters')).flatMap(({ rosters }) => rosters)),
    publications: publisher.counts,
    database: await database.ask('count'),
    away: await total('away'),
    behind: await total('behind', { last }),
    unanswered: await total('unanswered'),
  });
}

/** Watchers last and at the first process: the balancer fills the node that dies before the other one. */
async function openAll(crowd, url) {
  const crowded = places.filter(({ kind }) => kind !== 'watcher');
  const share = Math.ceil(crowded.length / crowd.length);
  await Promise.all(
    crowd.map((child, at) =>
      ask(child, 'open', {
        url,
        without,
        first: at * share,
        places: crowded.slice(at * share, (at + 1) * share),
      }),
    ),
  );
  const order = { url, without, first: crowded.length, places: places.slice(crowded.length) };
  await ask(crowd[0], 'open', order);
}

/** How many are where: `client doomed`. */
async function standOf(tell) {
  const stand = {};
  for (const name of (await tell('where')).flatMap(({ nodes }) => nodes)) {
    stand[name] = (stand[name] ?? 0) + 1;
  }
  return stand;
}

/** Not to stdout, where the result is. */
function tellProgress(text) {
  console.error(`${Math.round(performance.now() / 1_000)} s: ${text}`);
}

async function until(endsAt, check) {
  while (!(await check()) && now() < endsAt) await sleep(POLL_MS);
}

// What bench/node-death.mjs has seen, as numbers, a table and bars.
import { checkBar, printTable } from './numbers.mjs';

const BACK_MS = 30_000;

/** The lease of a node, the sweep that finds it over, and the look that sees it; then the grace, and a sweep again. */
const COUNTS_MS = 10_000 + 2_000 + 1_000;
const EXACT_MS = COUNTS_MS + 10_000 + 2_000;

/** Whoever comes back later than the lease is counted when it is back. */
const LATE_MS = 1_000;

export function summaryOf({ diedAt, before, last, customers, database, ...rest }) {
  const lost = customers.filter((customer) => customer.kind === 'client');
  const back = lost.filter((customer) => customer.lost > 0 && customer.backAt > diedAt);
  const backMs = back.map(({ backAt }) => Math.round(backAt - diedAt)).toSorted((a, b) => a - b);
  const orders = sum(customers, 'orders');
  return {
    before,
    published: last,
    clients: lost.length,
    back: back.length,
    backMs: {
      p50: backMs[Math.floor(backMs.length / 2)],
      p90: backMs[Math.floor(backMs.length * 0.9)],
      max: backMs.at(-1),
    },
    recovered: sum(lost, 'recovered'),
    tapes: Object.fromEntries(['client', 'watcher'].map((kind) => [kind, tapesOf(customers, kind)])),
    orders: {
      sent: orders,
      rejected: countsOf(customers.flatMap(({ rejected }) => rejected)),
      effects: database.rows,
      missing: orders - database.different,
      doubles: database.rows - database.different,
      /** Handlers that ran a second time, and found the first effect. */
      again: database.placed - database.rows,
      slowestMs: Math.round(Math.max(...customers.map(({ slowestMs }) => slowestMs))),
    },
    ...rest,
  };
}

function tapesOf(customers, kind) {
  const tapes = customers.filter((customer) => customer.kind === kind);
  const keys = ['delivered', 'repeated', 'holes', 'undetected', 'told'];
  return {
    clients: tapes.length,
    ...Object.fromEntries(keys.map((key) => [key, sum(tapes, key)])),
    worstRepeated: Math.max(0, ...tapes.map(({ repeated }) => repeated)),
    worstHoles: Math.max(0, ...tapes.map(({ holes }) => holes)),
  };
}

function sum(values, key) {
  return values.reduce((total, value) => total + value[key], 0);
}

function countsOf(words) {
  const counts = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

export function printResult({
  before,
  connectMs,
  published,
  tapes,
  orders,
  presence,
  publications,
  recovered,
  backMs,
}) {
  console.log(`Connected in ${(connectMs / 1_000).toFixed(1)} s: ${JSON.stringify(before)}`);
  printTable(
    [
      'clients',
      'number',
      'delivered',
      'of',
      'repeated',
      'holes',
      'not told of',
      '$gap',
      'most of one client',
    ],
    Object.entries(tapes).map(([kind, each]) => [
      kind === 'client' ? 'on the node that died' : 'on the other one',
      each.clients,
      each.delivered,
      published * each.clients,
      each.repeated,
      each.holes,
      each.undetected,
      each.told,
      `${each.worstRepeated} repeated, ${each.worstHoles} holes`,
    ]),
  );
  console.log(`Back behind the death, in ms: ${JSON.stringify(backMs)}`);
  console.log(`${recovered} resumed where they were. Publications: ${JSON.stringify(publications)}`);
  console.log(`Orders: ${JSON.stringify(orders)}`);
  console.log(`Presence: ${JSON.stringify(presence)}`);
}

export function checkBars({
  before,
  clients,
  back,
  backMs,
  away,
  tapes,
  behind,
  orders,
  unanswered,
  presence,
}) {
  checkBar(
    `${before['client doomed']} of ${clients} were on the node that died: all`,
    before['client doomed'] === clients,
  );
  checkBar(
    `${back} of ${clients} back, the last one after ${backMs.max} ms: all, in ${BACK_MS} at most`,
    back === clients && away === 0 && backMs.max <= BACK_MS,
  );
  const of = (key) => tapes.client[key] + tapes.watcher[key];
  checkBar(`${of('undetected')} holes that nobody told of: none`, of('undetected') === 0);
  checkBar(`${of('repeated')} repeated, ${behind} without the last: none`, of('repeated') + behind === 0);
  const { sent, missing, doubles, again, rejected } = orders;
  const failed = Object.keys(rejected).length + unanswered;
  checkBar(`${missing} of ${sent} orders without effect, ${doubles} doubled: none`, missing + doubles === 0);
  checkBar(`${failed} orders rejected or without answer: none`, failed === 0);
  checkBar(`${again} orders struck between effect and answer: some`, again > 0);
  checkPresence(presence, backMs.max);
}

function checkPresence({ countsRightMs, exactMs, wrongLooks, wrongRosters, wrongEvents }, backMs) {
  const countsMs = Math.max(COUNTS_MS, backMs + LATE_MS);
  checkBar(
    `connections counted right after ${countsRightMs} ms: at most ${countsMs}`,
    countsRightMs <= countsMs,
  );
  checkBar(
    `those who stayed away gone after ${exactMs} ms: at most ${EXACT_MS}`,
    exactMs <= Math.max(EXACT_MS, countsMs),
  );
  checkBar(`${wrongLooks} looks were wrong before: some`, wrongLooks > 0);
  checkBar(
    `${wrongRosters} watchers have another list by $join and $leave, ${wrongEvents} of these wrong: none`,
    wrongRosters + wrongEvents === 0,
  );
}

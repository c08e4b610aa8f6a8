// Real clients whose server is gone for ten seconds: how many connect in the same second when it is back, with the
// jitter of the client and without.
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { grouped, median, now } from '../numbers.mjs';
import { ask, end, startServer } from '../serve.mjs';

const AWAY_MS = 10_000;
const PROCESSES = 2;
const MOST = 0.3;

/** Who came back too soon would be one more failure: the client forgets those before it after 10 s. */
const STABLE_MS = 11_000;

const POLL_MS = 100;
const SETTLE_MS = 120_000;

/** Of the curve. */
const STEP_MS = 250;

const WAYS = [
  { name: 'without jitter', isJittered: false },
  { name: 'with jitter', isJittered: true },
];

export async function reconnects({ rounds, clients }) {
  const runs = WAYS.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, { isJittered }] of WAYS.entries()) runs[at].push(await comeBack(clients, isJittered));
  }
  const of = (at, read) => median(runs[at].map(read));
  const columns = [
    ['connects in a second, at most', ({ sockets }) => peak(sockets, 1_000)],
    ['in 100 ms, at most', ({ sockets }) => peak(sockets, 100)],
    ['upgrades in a second, at most', ({ upgrades }) => peak(upgrades, 1_000)],
    ['connects of all', ({ sockets }) => sockets.length],
    ['the last one back after, s', ({ upgrades }) => Math.max(...upgrades) / 1_000],
    ['away, s', ({ awayMs }) => awayMs / 1_000],
  ];
  const [without, jittered] = WAYS.map((_, at) => of(at, columns[0][1]));
  const ratio = jittered / without;
  return {
    section: 'reconnects',
    title: 'Reconnects after a server was away',
    text:
      `${grouped(clients)} clients, whose server is killed and listens again ${AWAY_MS / 1_000} s later. Times are from then on. ` +
      'Both are the client of this package with its defaults; without jitter its source of chance always says the same, so ' +
      'that each waits the whole of what the backoff allows (0.5 s, 1 s, 2 s, …). The server has no limit of handshakes or connections.',
    head: ['', ...columns.map(([name]) => name)],
    rows: WAYS.map(({ name }, at) => [
      name,
      ...columns.map(([, read]) => grouped(Number(of(at, read).toFixed(1)))),
    ]),
    bars: [
      {
        text: `peak of connects in a second: ${ratio.toFixed(2)} × that without jitter (at most ${MOST})`,
        isMet: ratio <= MOST,
      },
    ],
    plots: [
      {
        name: 'reconnects',
        title: `${grouped(clients)} clients come back`,
        x: 'seconds since the server listens again',
        y: 'connects in the second before',
        series: WAYS.map(({ name }, at) => ({ name, marks: false, points: curve(runs[at][0].sockets) })),
      },
    ],
  };
}

/** When the sockets and the upgrades of those who come back have come, in milliseconds since the server was back. */
async function comeBack(clients, isJittered) {
  const crowd = Array.from({ length: PROCESSES }, () =>
    fork(new URL('./reconnect-clients.mjs', import.meta.url)),
  );
  let server = await startServer('scale');
  try {
    const { port } = server;
    const count = Math.ceil(clients / PROCESSES);
    const order = (at) => ({ port, isJittered, count: Math.min(count, clients - at * count) });
    await Promise.all(crowd.map((child, at) => ask(child, 'open', order(at))));
    await sleep(STABLE_MS);

    await server.end();
    const goneAt = now();
    server = await startServer('scale', [JSON.stringify({ port, listenAt: goneAt + AWAY_MS })]);
    const backAt = now();
    await settle(crowd);

    const { sockets, upgrades } = await server.ask('connects');
    if (upgrades.length < clients) throw new Error(`${upgrades.length} upgrades of ${clients} clients`);
    const since = (times) => times.map((time) => time - backAt);
    return { sockets: since(sockets), upgrades: since(upgrades), awayMs: backAt - goneAt };
  } finally {
    await Promise.all(crowd.map(end));
    await server.end();
  }
}

/** Until everybody is in its channel again. */
async function settle(crowd) {
  const endsAt = now() + SETTLE_MS;
  while (now() < endsAt) {
    const answers = await Promise.all(crowd.map((child) => ask(child, 'away')));
    if (answers.every(({ count }) => count === 0)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`not everybody is back after ${SETTLE_MS / 1_000} s`);
}

/** The most that came within so many milliseconds, wherever they begin. */
function peak(times, withinMs) {
  let first = 0;
  return Math.max(
    ...times.map((time, at) => {
      while (times[first] <= time - withinMs) first++;
      return at - first + 1;
    }),
  );
}

function curve(times) {
  const steps = Math.ceil((times.at(-1) + 1_000) / STEP_MS) + 1;
  return Array.from({ length: steps }, (_, step) => {
    const until = step * STEP_MS;
    return [until / 1_000, times.filter((time) => time <= until && time > until - 1_000).length];
  });
}

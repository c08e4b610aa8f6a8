// npm run bench:deploys [-- --clients n] [--nodes n] [--window ms] [--budget n] [--every ms] [--without drain]: a rolling
// restart behind haproxy, one node after the other, while clients in rooms of ten each say something every so often.
// Each message is published by its @Acked handler, without a key: what was lost or done twice is seen by ten others.
// `--without drain` closes all connections at once, as a control: then clients are without one, and for long.
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { BALANCING, withBalancer } from './balancer.mjs';
import { checkBar, now, numberOf, percentile, printTable } from './numbers.mjs';
import { withRedis } from './redis.mjs';
import { saveSection, table } from './results.mjs';
import { ask, end, endWithin, startServer } from './serve.mjs';

const WHAT =
  'Behind haproxy, with a Redis that all share. Clients in rooms of ten say something every ten seconds, by `@Acked` ' +
  'handlers that publish it without a key. The window is 20 s, the budget 200 connects a second. Published for the ' +
  'same idea with Socket.IO: p95 6.0 s without a connection, 3.8 % never back.';

/** Below the ports that systems give to outgoing connections: a node comes back on its own. */
const PORTS = { from: 10_000, to: 32_000 };
const PER_ROOM = 10;
const PROCESSES = 2;

/** What haproxy needs to see that a node is ready again, and more. */
const READY_MS = 2_000;
const POLL_MS = 500;
const SETTLE_MS = 60_000;

const clients = numberOf('clients', 5_000);
const nodeCount = numberOf('nodes', 3);
const drainWindowMs = process.argv.includes('drain') ? 0 : numberOf('window', 20_000);
const drainConnectsPerSecond = numberOf('budget', 200);
const everyMs = numberOf('every', 10_000);
endWithin(10);

await withRedis(async (redis) => {
  const ports = Array.from({ length: nodeCount }, () => randomInt(PORTS.from, PORTS.to));
  const start = (port) =>
    startServer('deploy-node', [JSON.stringify({ redis, port, drainWindowMs, drainConnectsPerSecond })]);
  const nodes = await Promise.all(ports.map(start));
  const crowd = Array.from({ length: PROCESSES }, () =>
    fork(new URL('./deploy-clients.mjs', import.meta.url)),
  );
  try {
    await withBalancer(
      nodes,
      (port) => run({ url: `ws://127.0.0.1:${port}/ws`, nodes, start, crowd }),
      BALANCING,
    );
  } finally {
    await Promise.all([...crowd.map(end), ...nodes.map((node) => node.end())]);
  }
});

async function run({ url, nodes, start, crowd }) {
  const count = clients / PROCESSES;
  await Promise.all(
    crowd.map((child, at) => ask(child, 'open', { url, first: at * count, count, perRoom: PER_ROOM })),
  );
  await tell(crowd, 'start', { everyMs });
  await sleep(everyMs);
  const startedAt = now();
  const restarts = [];
  for (const at of nodes.keys()) restarts.push(await restart(nodes, at, start));
  const endedAt = now();
  await tell(crowd, 'stop');
  await settles(crowd, 'unanswered');
  await settles(crowd, 'missing');
  const away = await total(crowd, 'away');
  const results = await tell(crowd, 'result');
  const attempts = results
    .flatMap((result) => result.attempts)
    .filter((ms) => ms >= startedAt && ms <= endedAt);
  print({ restarts, away, attempts, members: results.flatMap(({ members }) => members) });
}

/** A new process in its place, when the old one has gone. */
async function restart(nodes, at, start) {
  const node = nodes[at];
  const startedAt = now();
  const stopped = node.next('stopped');
  await Promise.all([stopped, node.stop()]);
  const seconds = (now() - startedAt) / 1_000;
  nodes[at] = await start(node.port);
  await sleep(READY_MS);
  return { seconds, ...(await stopped).report };
}

function tell(crowd, type, order) {
  return Promise.all(crowd.map((child) => ask(child, type, order)));
}

async function total(crowd, type) {
  return (await tell(crowd, type)).reduce((sum, { count }) => sum + count, 0);
}

/** Until nothing of it is left, or for as long as it may take. */
async function settles(crowd, type) {
  const until = now() + SETTLE_MS;
  while (now() < until && (await total(crowd, type)) > 0) await sleep(POLL_MS);
}

/** The most in any second. */
function peakOf(times) {
  const sorted = times.toSorted((one, other) => one - other);
  let from = 0;
  return sorted.reduce((peak, ms, at) => {
    while (ms - sorted[from] >= 1_000) from++;
    return Math.max(peak, at - from + 1);
  }, 0);
}

function print({ restarts, away, attempts, members }) {
  const sum = (key) => members.reduce((all, member) => all + member[key], 0);
  const histogram = {};
  for (const { longestAwayMs } of members) {
    const ms = Math.round(longestAwayMs);
    histogram[ms] = (histogram[ms] ?? 0) + 1;
  }
  const awayMs = (share) => percentile(histogram, share) ?? 0;
  const title = `${clients} clients on ${nodeCount} nodes, each of which is restarted`;
  const head = ['restart', 's', 'clients', 'have left', 'were closed', 'left in one second at most'];
  const rows = restarts.map(({ seconds, clients: of, left, stayed, peakPerSecond }, at) => {
    return [at + 1, seconds.toFixed(1), of ?? '', left ?? '', stayed ?? '', peakPerSecond ?? ''];
  });
  const rejected = members.flatMap((member) => member.rejected);
  const figures =
    `${sum('said')} messages, ${rejected.length} rejected. Without a connection for ${awayMs(0.5)} ms (median), ` +
    `${awayMs(0.99)} ms (p99), ${awayMs(1)} ms (at most). ${attempts.length} connects.`;
  const peak = peakOf(attempts);
  const mostPerSecond = 1.2 * drainConnectsPerSecond;
  const lost = sum('missing') + rejected.length;
  const bars = [
    [`${away} not back: none`, away === 0],
    [`${lost} acked effects lost: none`, lost === 0],
    [`${sum('doubled')} doubled: none`, sum('doubled') === 0],
    [`${sum('gaps')} gaps: none`, sum('gaps') === 0],
    [`${peak} connects in one second at most: at most ${mostPerSecond}`, peak <= mostPerSecond],
    [`without a connection for ${awayMs(0.99)} ms at p99: at most 250`, awayMs(0.99) <= 250],
  ];
  console.log(`\n${title}`);
  printTable(head, rows);
  console.log(figures);
  for (const [text, isMet] of bars) checkBar(text, isMet);
  if (process.argv.length > 2) return;
  const lines = [`${WHAT} ${figures}`, '', ...table(head, rows), ''];
  for (const [text, isMet] of bars) lines.push(`- ${isMet ? 'met' : 'MISSED'}: ${text}`);
  saveSection('deploys', `A rolling restart: ${title}`, lines, ['ws']);
}

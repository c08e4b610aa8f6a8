// npm run fuzz [-- --seconds 60] [--inputs n] [--seed n] [--at n] [--p99 ms] [--bug handler|codec|nesting|length]: bad
// inputs against a real application, beside a client that behaves. Ends with 0 where each was answered as documented
// and the client that behaves was served (p99 of at most 100 ms, or of `--p99`), with 1 where not, and writes what it
// has seen to stdout as JSON. `--at` begins with that input of the seed: `--at n --inputs 1` repeats one.
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { count, refuse } from '../chaos/arguments.mjs';
import { SeededRandom } from '../chaos/random.mjs';
import { BUG_NAMES, packageWith } from './bugs.mjs';
import { MESSAGES } from './messages.mjs';
import { Peer, sendBroken, sendRequest } from './peer.mjs';
import { Server } from './server.mjs';
import { BROKEN, request } from './sockets.mjs';

/** Peers at a time. */
const LANES = 8;
const MAX_VIOLATIONS = 5;
/** Pause of the client that behaves between two messages. */
const GOOD_MS = 10;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    inputs: { type: 'string', default: String(2 ** 31) },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    at: { type: 'string', default: '0' },
    p99: { type: 'string', default: '100' },
    bug: { type: 'string', default: '' },
  },
});
const [seconds, inputs, seed, first, mostMs] = ['seconds', 'inputs', 'seed', 'at', 'p99'].map((name) =>
  count(values, name),
);
const { bug } = values;
if (bug !== '' && !BUG_NAMES.includes(bug)) refuse(values, 'bug', `one of ${BUG_NAMES.join(', ')}`);

console.error(`fuzz: --seed ${seed} --seconds ${seconds}`);
const { url: packageUrl, isCopy } = packageWith(bug);
const { ERROR_CODES } = await import(new URL('protocol/index.js', packageUrl));
const errorCodes = new Set(Object.keys(ERROR_CODES));

const violations = [];
const outcomes = {};
const classes = {};
const roundTrips = [];
let next = first;
let server;
try {
  server = await Server.start(packageUrl, bug);
  const until = performance.now() + seconds * 1_000;
  const isOver = () =>
    performance.now() >= until ||
    violations.length >= MAX_VIOLATIONS ||
    server.hasFailed ||
    next >= first + inputs;
  const good = behave(isOver);
  await Promise.all(Array.from({ length: LANES }, () => lane(isOver)));
  await good;
  // What closes may take a turn or two to be told to everybody.
  await delay(500);
  const { connections, rssMb } = await server.count();
  if (connections > 0 && !server.hasFailed) violations.push(`${connections} connections are left`);
  violations.push(...server.faults);
  const { p99Ms } = report().good;
  if (p99Ms > mostMs) violations.push(`p99 of the client that behaves: ${p99Ms} ms (at most ${mostMs})`);
  console.log(JSON.stringify({ ...report(), rssMb: Math.round(rssMb) }, null, 2));
} finally {
  await server?.end();
  if (isCopy) rmSync(fileURLToPath(packageUrl), { recursive: true });
}
process.exitCode = violations.length === 0 ? 0 : 1;

/** One input after the other, each on a connection that is still open, if there is one. */
async function lane(isOver) {
  const peers = {};
  while (!isOver()) {
    const index = next++;
    const chance = new SeededRandom(Math.imul(seed ^ Math.imul(index + 1, 0x9e3779b1), 0x85ebca6b));
    const { name, input, run } = draw(chance, peers);
    let result;
    try {
      result = await run();
    } catch (error) {
      result = { violation: `the peer could not go on: ${error.stack}`, outcome: 'an error' };
    }
    classes[name] = (classes[name] ?? 0) + 1;
    outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1;
    if (result.violation) violations.push(`input ${index}, ${name}: ${result.violation}; ${printed(input)}`);
  }
  for (const peer of Object.values(peers)) peer.end();
}

function draw(chance, peers) {
  const kind = chance.below(20);
  if (kind === 0) {
    const input = request(chance);
    return { name: 'request', input, run: () => sendRequest(server.port, input) };
  }
  if (kind < 4) {
    const name = chance.pick(Object.keys(BROKEN));
    const input = BROKEN[name](chance);
    return {
      name: `frame ${name}`,
      input: input.bytes,
      run: () => sendBroken(server.port, input, errorCodes),
    };
  }
  const name = chance.pick(Object.keys(MESSAGES));
  const input = MESSAGES[name](chance);
  const speech = chance.below(3) === 0 ? 'plain' : 'ours';
  return {
    name,
    input,
    run: async () => {
      if (!peers[speech]?.isOpen) peers[speech] = await Peer.open(server.port, speech === 'ours');
      return peers[speech].send(input, errorCodes);
    },
  };
}

/** The client that behaves: it asks all the time, and wants to be answered soon. */
async function behave(isOver) {
  const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, ['nestjs-channels.v1.json']);
  let answered;
  const end = {};
  ws.on('error', () => undefined);
  ws.on('close', (closedWith) => {
    end.code = closedWith;
    answered?.();
  });
  ws.on('message', (data) => JSON.parse(String(data)).ack === roundTrips.length && answered?.());
  await new Promise((resolve) => ws.on('open', resolve).on('close', resolve));
  while (!isOver() && end.code === undefined) {
    const sentAt = performance.now();
    const answer = new Promise((resolve) => (answered = resolve));
    ws.send(JSON.stringify({ event: 'echo', id: roundTrips.length, data: 'good' }));
    await Promise.race([answer, delay(10_000, undefined, { ref: false })]);
    roundTrips.push(performance.now() - sentAt);
    await delay(GOOD_MS);
  }
  if (end.code !== undefined) violations.push(`the client that behaves was closed with ${end.code}`);
  ws.terminate();
}

function report() {
  const sorted = roundTrips.toSorted((a, b) => a - b);
  const at = (part) => Number((sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2));
  const good = {
    answers: sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: Number((sorted.at(-1) ?? 0).toFixed(2)),
  };
  return { seed, bug, inputs: next - first, classes, outcomes, good, violations };
}

function printed(input) {
  const text = typeof input === 'string' ? JSON.stringify(input) : `0x${input.toString('hex')}`;
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length})` : text;
}

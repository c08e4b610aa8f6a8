// What a connection keeps, against how many channels it is in, and what the server does for channels by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { grouped, kib, median } from '../numbers.mjs';
import { Readers, cpuOf, expectSize, padded } from '../readers.mjs';
import { withServer } from '../serve.mjs';

/** Too few to leave a heap behind that the measured ones could be put into for nothing. */
const WARM_UP = 100;

/**
 * What one of the last 90 channels of a connection may take of one of the nine before. Whatever a channel has is its
 * own but for its place in three hash tables, and a table that has just grown is half empty.
 */
const MOST_PER_CHANNEL = 1.5;

const KINDS = [
  { name: 'channels of its own', channelOf: (number, at) => `room:${padded(number)}.${padded(at)}` },
  { name: 'channels that all share', channelOf: (_, at) => `room:all.${padded(at)}` },
];

/** The heap is exact; RSS is told beside it, and grows in steps. */
export async function memory({ rounds, connections, numbers: [few, some, many] }) {
  const runs = KINDS.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, kind] of KINDS.entries()) runs[at].push(await grow(kind, connections, [few, some, many]));
  }
  const of = (kind, step, key) => median(runs[kind].map((result) => result[step][key]));
  const each = (kind, from, to, count) => (of(kind, to, 'heap') - of(kind, from, 'heap')) / count;
  const numbers = [0, few, some, many];
  const perChannel = KINDS.map((_, kind) => ({
    before: each(kind, 1, 2, some - few),
    after: each(kind, 2, 3, many - some),
  }));
  return {
    title: 'Memory of a connection, against its channels',
    head: ['in', ...numbers.map((count) => `${count} (heap, RSS KiB)`), `one of ${some}`, `one of ${many}`],
    rows: KINDS.map(({ name }, kind) => [
      name,
      ...numbers.map((_, step) => `${kib(of(kind, step, 'heap'))}, ${kib(of(kind, step, 'rss'))}`),
      `${Math.round(perChannel[kind].before)} B`,
      `${Math.round(perChannel[kind].after)} B`,
    ]),
    bars: KINDS.map(({ name }, kind) => {
      const ratio = perChannel[kind].after / perChannel[kind].before;
      const text = `${name}: each up to ${many} takes ${ratio.toFixed(2)} × the heap of each up to ${some}`;
      return { text: `${text} (at most ${MOST_PER_CHANNEL})`, isMet: ratio > 0 && ratio <= MOST_PER_CHANNEL };
    }),
    plots: [
      {
        name: 'scale-memory',
        title: 'Heap of the server per connection',
        x: 'channels that the connection is in',
        y: 'heap, KiB per connection',
        series: KINDS.map(({ name }, kind) => ({
          name,
          points: numbers.map((count, step) => [count, of(kind, step, 'heap') / 1_024]),
        })),
      },
    ],
  };
}

/** @returns bytes for each connection, in no channel and in as many as `numbers` say, one after the other */
function grow({ channelOf }, connections, numbers) {
  return withServer('scale', async (server) => {
    const warm = new Readers(server.port);
    await warm.open(WARM_UP);
    await warm.join((number) => [channelOf(number, 0)]);
    warm.end();
    while ((await server.ask('connections')).count > 0);
    const before = await server.ask('memory');
    const readers = new Readers(server.port);
    const results = [];
    const note = async () => {
      const after = await server.ask('memory');
      const each = (key) => (after[key] - before[key]) / connections;
      results.push({ heap: each('heapUsed') + each('external'), rss: each('rss') });
    };
    await readers.open(connections);
    await note();
    for (const [step, count] of numbers.entries()) {
      const from = numbers[step - 1] ?? 0;
      await readers.join((number) =>
        Array.from({ length: count - from }, (_, at) => channelOf(number, from + at)),
      );
      await expectSize(server, 'subscriptions', count * connections);
      await note();
    }
    readers.end();
    return results;
  });
}

/** Instead of 10 s, so that one measurement has several. */
const CHECK_MS = 2_000;
const CHECKS = 4;

/**
 * What a look after one of the most channels may cost of one of ten times fewer. Each is a question to the broker, and
 * as many of them as there are miss the caches.
 */
const MOST_PER_CHECK = 2;

/** What collections leave behind by chance, and nothing that is kept of a channel. */
const MOST_LEFT_BYTES = 1_048_576;

/** Channels with a history are compared with their broker again and again, whether anything happens or not. */
export async function upkeep({ rounds, connections, numbers: [few, many] }) {
  const runs = new Map([few, many].map((count) => [count, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [count, results] of runs) results.push(await keepUp(count, connections));
  }
  const [less, more] = [few, many].map((count) => median(runs.get(count)));
  const ratio = more / less;
  return {
    title: 'What channels with a history cost while nothing happens',
    head: ['channels', 'CPU of one look after each', 'of one look after all'],
    rows: [
      [grouped(few), `${less.toFixed(2)} µs`, `${Math.round((few * less) / 1_000)} ms`],
      [grouped(many), `${more.toFixed(2)} µs`, `${Math.round((many * more) / 1_000)} ms`],
    ],
    bars: [
      {
        text: `a look after one of ${grouped(many)}: ${ratio.toFixed(2)} × after one of ${grouped(few)} (at most ${MOST_PER_CHECK})`,
        isMet: less > 0 && ratio <= MOST_PER_CHECK,
      },
    ],
    plots: [],
  };
}

/** @returns microseconds for one channel and look, without what an idle server takes */
function keepUp(count, connections) {
  const use = async (server) => {
    const readers = new Readers(server.port);
    await readers.open(connections);
    const idle = () => cpuOf(server, () => sleep(CHECK_MS * CHECKS));
    const base = await idle();
    const each = count / connections;
    await readers.join((number) =>
      Array.from({ length: each }, (_, at) => `kept:${padded(number * each + at)}`),
    );
    await expectSize(server, 'channels', count);
    await server.ask('memory');
    const busy = await idle();
    readers.end();
    return (busy - base) / count / CHECKS;
  };
  return withServer('scale', use, [JSON.stringify({ positionCheckMs: CHECK_MS })]);
}

/** Publications to channels that nobody is in: what they cost and leave, against how many such channels there are. */
export async function empties({ rounds, numbers: [few, many] }) {
  const kinds = [
    { name: 'without a history', prefix: 'room:e' },
    { name: 'with a history, of which 10,000 are kept', prefix: 'kept:e' },
  ];
  const runs = kinds.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, { prefix }] of kinds.entries()) runs[at].push(await publishToNobody(prefix, [few, many]));
  }
  const left = kinds.map((_, at) => median(runs[at].map(({ bytes }) => bytes)));
  return {
    title: 'What publications to channels that nobody is in leave behind',
    head: ['channels', `heap after ${grouped(many)} of them, more than after ${grouped(few)}`],
    rows: kinds.map(({ name }, at) => [name, `${kib(left[at])} KiB`]),
    bars: kinds.map(({ name }, at) => ({
      text: `${name}: ${kib(left[at])} KiB more after ${grouped(many)} (at most ${kib(MOST_LEFT_BYTES)})`,
      isMet: left[at] <= MOST_LEFT_BYTES,
    })),
    plots: [],
  };
}

function publishToNobody(prefix, [few, many]) {
  return withServer('scale', async (server) => {
    const flood = (total) => server.ask('flood', { prefix, channels: many, total, perTurn: 100 });
    await flood(few);
    const before = await server.ask('memory');
    await flood(many);
    const after = await server.ask('memory');
    return { bytes: after.heapUsed - before.heapUsed };
  });
}

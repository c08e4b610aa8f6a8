// Users with one socket for ten channels, beside users with a socket for each of them.
import { grouped, kib, median } from '../numbers.mjs';
import { Readers, cpuOf, expectSize, padded } from '../readers.mjs';
import { withServer } from '../serve.mjs';

const CHANNELS = Array.from({ length: 10 }, (_, at) => `room:${padded(at)}`);
const WARM_UP = 300;
const MOST = 0.6;

/** With fewer, the steps in which a heap grows are all that is seen. */
const FEWEST_FOR_RSS = 500;

/** So many times all channels are published to. Everybody keeps up with that pace: see bench/scale/delivery.mjs. */
const UPDATES = 20;
const WRITES_PER_SECOND = 20_000;

const WAYS = [
  {
    name: 'ten sockets, one channel each',
    sockets: CHANNELS.length,
    channelsOf: (number) => [CHANNELS[number % 10]],
  },
  { name: 'one socket, ten channels', sockets: 1, channelsOf: () => CHANNELS },
];

const PARTS = ['connect', 'together', 'apart'];

export async function sockets({ rounds, users }) {
  const runs = WAYS.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, way] of WAYS.entries()) runs[at].push(await runOf(way, users));
  }
  const of = (at, read) => median(runs[at].map(read));
  const values = [
    { name: 'RSS, KiB per user', read: ({ rss }) => rss, format: kib, isBar: users >= FEWEST_FOR_RSS },
    { name: 'heap, KiB per user', read: ({ heap }) => heap, format: kib },
    { name: 'CPU of connecting and joining, µs per user', read: ({ connect }) => connect, format: rounded },
    {
      name: `CPU of ${UPDATES} updates of all channels in one turn`,
      read: ({ together }) => together,
      format: rounded,
    },
    { name: 'both', read: ({ connect, together }) => connect + together, format: rounded, isBar: true },
    {
      name: `CPU of ${UPDATES} updates, each channel in a turn of its own`,
      read: ({ apart }) => apart,
      format: rounded,
    },
  ];
  const all = ({ read }) => WAYS.map((_, at) => of(at, read));
  const ratio = ({ read }) => of(1, read) / of(0, read);
  return {
    section: 'sockets',
    title: 'One socket for ten channels',
    text:
      `${grouped(users)} users in the same ten channels, each with one socket or with ten. "In one turn" is a timer that ` +
      'publishes to all ten at once; where each publication has a turn of its own there is nothing to join, and no bar. ' +
      'There are no heartbeats, of which ten sockets have ten times as many. What the kernel keeps for a socket is not counted.',
    head: ['', ...WAYS.map(({ name }) => name), '×'],
    rows: values.map((value) => [
      value.name,
      ...all(value).map((each) => value.format(each)),
      ratio(value).toFixed(2),
    ]),
    bars: values
      .filter(({ isBar }) => isBar)
      .map((value) => ({
        text: `${value.name === 'both' ? 'CPU' : value.name}: ${ratio(value).toFixed(2)} × (at most ${MOST})`,
        isMet: ratio(value) <= MOST,
      })),
    plots: [],
  };
}

function rounded(value) {
  return String(Math.round(value));
}

/** @returns bytes, and microseconds for each of {@link PARTS}, of one user */
function runOf({ sockets: perUser, channelsOf }, users) {
  return withServer('scale', async (server) => {
    const warm = new Readers(server.port);
    await warm.open(WARM_UP);
    await warm.join(channelsOf);
    warm.end();
    while ((await server.ask('connections')).count > 0);
    const before = await server.ask('memory');

    const readers = new Readers(server.port);
    const connect = await cpuOf(server, async () => {
      await readers.open(users * perUser);
      await readers.join(channelsOf);
    });
    await expectSize(server, 'subscriptions', users * CHANNELS.length);
    const after = await server.ask('memory');

    const deliveries = users * CHANNELS.length * UPDATES;
    const update = async (turns) => {
      const delivered = readers.frames(deliveries);
      server.send({
        type: 'publish',
        turns,
        everyMs: (1_000 * deliveries) / WRITES_PER_SECOND / turns.length,
      });
      await delivered;
    };
    const once = Array.from({ length: UPDATES }, () => CHANNELS);
    const together = await cpuOf(server, () => update(once));
    const apart = await cpuOf(server, () => update(once.flat().map((channel) => [channel])));
    readers.end();
    const each = (value) => value / users;
    return {
      // The room that the heap had before counts as if it had been made for them.
      rss: each(after.rss - before.rss + before.heapTotal - before.heapUsed),
      heap: each(after.heapUsed - before.heapUsed),
      ...Object.fromEntries(PARTS.map((part, at) => [part, each([connect, together, apart][at])])),
    };
  });
}

// Users who are in the channels of what interests them, beside one channel for everybody and clients that filter.
import { grouped, median } from '../numbers.mjs';
import { Readers, cpuOf, expectSize, padded } from '../readers.mjs';
import { withServer } from '../serve.mjs';

const TOPICS = 200;
const INTERESTS = 5;
const SEED = 1;
const MOST_BYTES = 0.2;

/** How often a topic is liked and spoken of, beside the others. */
const SPREADS = [
  { name: 'by interest, all topics alike', weight: () => 1, isBar: true },
  // As words and cities are. The first is in three fifths of all lists and in a sixth of all publications: most of what
  // is sent is wanted by most, and how much can be left out is a matter of the spread. Therefore no bar.
  {
    name: 'by interest, the nth topic 1/n as often as the first',
    weight: (at) => 1 / (at + 1),
    isBar: false,
  },
];

export async function interests({ rounds, users, publications }) {
  const cases = [
    { name: 'everybody gets everything', ...everything(users, publications) },
    ...SPREADS.map(({ weight, ...spread }) => Object.assign(spread, byInterest(users, publications, weight))),
  ];
  const runs = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, order] of cases.entries()) runs[at].push(await deliver(users, order));
  }
  const of = (at, key) => median(runs[at].map((run) => run[key]));
  const share = (at) => of(at, 'bytes') / of(0, 'bytes');
  const fewer = (at) => (100 * (1 - share(at))).toFixed(1);
  return {
    section: 'interests',
    title: 'Channels by interest',
    text:
      `${grouped(users)} users, ${TOPICS} topics, each user interested in ${INTERESTS} of them, drawn from a seed (${SEED}); ` +
      `${publications} publications, of each topic as many as it is liked. Bytes are those that all clients have received ` +
      'behind the upgrade, the answers to their joins among them. Where everybody gets everything, the client looks for what it wants.',
    head: ['channels', 'bytes', 'fewer', 'deliveries', 'CPU of the server, s'],
    rows: cases.map(({ name, deliveries }, at) => [
      name,
      grouped(of(at, 'bytes')),
      `${fewer(at)} %`,
      grouped(deliveries),
      (of(at, 'cpu') / 1e6).toFixed(1),
    ]),
    bars: cases.flatMap(({ name, isBar }, at) => {
      const text = `${name}: ${fewer(at)} % fewer bytes (at least ${100 * (1 - MOST_BYTES)} %)`;
      return isBar ? [{ text, isMet: share(at) <= MOST_BYTES }] : [];
    }),
    plots: [],
  };
}

function everything(users, publications) {
  const turns = Array.from({ length: publications }, () => [topic(0)]);
  return { channelsOf: () => [topic(0)], turns, deliveries: users * publications, joins: users };
}

function byInterest(users, publications, weight) {
  const topicAt = quantiles(weight);
  const random = seeded(SEED);
  const lists = Array.from({ length: users }, () => {
    const topics = new Set();
    while (topics.size < INTERESTS) topics.add(topicAt(random()));
    return [...topics];
  });
  const fans = Array(TOPICS).fill(0);
  for (const at of lists.flat()) fans[at]++;
  // Not drawn: so few of them would be as chance has it.
  const published = Array.from({ length: publications }, (_, at) => topicAt((at + 0.5) / publications));
  return {
    channelsOf: (number) => lists[number].map(topic),
    turns: published.map((at) => [topic(at)]),
    deliveries: published.reduce((sum, at) => sum + fans[at], 0),
    joins: users * INTERESTS,
  };
}

function topic(number) {
  return `room:${padded(number)}`;
}

function deliver(users, { channelsOf, turns, deliveries, joins }) {
  return withServer('scale', async (server) => {
    const readers = new Readers(server.port);
    await readers.open(users);
    const cpu = await cpuOf(server, async () => {
      await readers.join(channelsOf);
      const delivered = readers.frames(deliveries);
      server.send({ type: 'publish', turns });
      await delivered;
    });
    await expectSize(server, 'subscriptions', joins);
    const { bytes } = readers;
    readers.end();
    return { bytes, cpu };
  });
}

/** The topic at a place in [0, 1), of which each has as much room as its weight says. */
function quantiles(weight) {
  const sums = [];
  let total = 0;
  for (let at = 0; at < TOPICS; at++) sums.push((total += weight(at)));
  return (place) => sums.findIndex((sum) => sum > place * total);
}

/** Numbers in [0, 1), the same ones in each run: mulberry32. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// CPU of the server per delivery, against how many there are to deliver to.
import { grouped, median } from '../numbers.mjs';
import { Readers, cpuOf } from '../readers.mjs';
import { withServer } from '../serve.mjs';

const PER_TURN = [1, 5];

/**
 * The same for any number of subscribers, and few enough that everybody keeps up: the kernel puts what waits for a
 * reader together, and so what is written faster than it is read costs less.
 */
const WRITES_PER_SECOND = 20_000;

/**
 * How much more a delivery may grow from 100 to 10,000 subscribers than a write of `ws` by hand does. The connections of
 * 10,000 (some 100 MB with their buffers in the kernel) fit in no cache of the processor, where those of 100 do: that
 * costs whoever writes to them.
 */
const MOST = 1.25;

const SERVERS = [
  { name: 'nestjs-channels', file: 'scale', joins: true },
  // How much of it is the kernel's, with which the library has nothing to do.
  { name: 'ws by hand', file: 'scale-ws', joins: false },
];

export async function deliveries({ rounds, isQuick, numbers }) {
  const runs = SERVERS.map(() => new Map(numbers.map((subscribers) => [subscribers, []])));
  for (let round = 0; round < rounds; round++) {
    for (const subscribers of numbers) {
      for (const [at, server] of SERVERS.entries()) {
        runs[at].get(subscribers).push(await deliverTo(server, subscribers, isQuick ? 2 : 5));
      }
    }
  }
  const [few, many] = [numbers[0], numbers.at(-1)];
  const lines = SERVERS.flatMap(({ name }, server) =>
    PER_TURN.map((perTurn, at) => {
      const costs = numbers.map((count) => median(runs[server].get(count).map((result) => result[at])));
      return { name, perTurn, costs, ratio: costs.at(-1) / costs[0] };
    }),
  );
  return {
    title: 'A delivery, against the number of subscribers',
    head: [
      'server',
      'publications in a turn',
      ...numbers.map((count) => `to ${grouped(count)}`),
      `${grouped(many)} : ${few}`,
    ],
    rows: lines.map(({ name, perTurn, costs, ratio }) => [
      name,
      perTurn,
      ...costs.map((cost) => `${cost.toFixed(2)} µs`),
      ratio.toFixed(2),
    ]),
    bars: PER_TURN.map((perTurn) => {
      const [ours, theirs] = lines.filter((line) => line.perTurn === perTurn).map(({ ratio }) => ratio);
      const growth = ours / theirs;
      return {
        text:
          `a delivery to ${grouped(many)}, ${perTurn} in a turn: ${ours.toFixed(2)} × one to ${few}, which is ` +
          `${growth.toFixed(2)} × what it is for ws by hand (at most ${MOST})`,
        isMet: growth <= MOST,
      };
    }),
    plots: [
      {
        name: 'scale-delivery',
        title: 'CPU of the server per delivery',
        x: 'subscribers of the channel',
        y: 'CPU, µs per delivery',
        log: true,
        series: lines.map(({ name, perTurn, costs }) => ({
          name: `${name}, ${perTurn} in a turn`,
          points: costs.map((cost, at) => [numbers[at], cost]),
        })),
      },
    ],
  };
}

/** @returns microseconds for each of {@link PER_TURN} */
function deliverTo({ file, joins }, subscribers, seconds) {
  return withServer(file, async (server) => {
    const readers = new Readers(server.port);
    await readers.open(subscribers);
    if (joins) await readers.join(() => ['room:all']);
    const everyMs = (1_000 * subscribers) / WRITES_PER_SECOND;
    const publish = async (perTurn, turns) => {
      const delivered = readers.frames(turns * perTurn * subscribers);
      const channels = Array.from({ length: turns }, () => Array(perTurn).fill('room:all'));
      server.send({ type: 'publish', turns: channels, everyMs });
      await delivered;
    };
    const costs = [];
    for (const perTurn of PER_TURN) {
      const turns = Math.ceil((seconds * 1_000) / everyMs);
      await publish(perTurn, Math.ceil(turns / 5));
      costs.push((await cpuOf(server, () => publish(perTurn, turns))) / (turns * perTurn * subscribers));
    }
    readers.end();
    return costs;
  });
}

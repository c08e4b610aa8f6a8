// What a subscribe, a publication to nobody and a channel itself cost, against how many channels there are already.
import { grouped, median } from '../numbers.mjs';
import { Readers, cpuOf, expectSize, padded, subscribe, unsubscribe } from '../readers.mjs';
import { withServer } from '../serve.mjs';

/** Few, so that the channels of those who are measured do not make ten of them many. */
const LANES = 5;
const PAIRS_IN_FLIGHT = 10;

/** Publications without a subscriber go to so many channels, in turns. */
const EMPTY_CHANNELS = 10_000;
const PER_TURN = 100;

/** More than the 10,000 histories that the library keeps: the ones before it are forgotten for each. */
const NEW_HISTORIES = 1_000_000_000;

/**
 * What a subscribe among 1,000,000 channels may cost of one among 10. It looks into some six tables, each of which is
 * in the caches of the processor with ten entries and misses them with a million: a microsecond or two. Collections of
 * old objects, which walk over all channels, come as often as memory grows, and so less often per channel.
 */
const MOST_PER_SUBSCRIBE = 2;

/** Of what is kept, a publication looks for one. */
const MOST_PER_PUBLICATION = 1.5;

/**
 * A publication to nobody is one look into the table of channels, of which a million miss all caches of the processor:
 * of 1.4 µs that it grows by, V8's own search of that `Map` has 1.0 and its collections of young objects 0.4 (`perf`
 * with --perf-basic-prof). By hand, with a smaller heap, it grows as well: by half as much at least.
 */
const MOST_GROWTH = 2;

/** A hash table that has just grown is half empty. Whatever else a channel has is its own. */
const MOST_MEMORY = 1.5;

/**
 * All of them in one server, with the same connections each time, which are in as many channels as the default allows
 * at most. Nobody shares a channel.
 */
export async function channels({ rounds, isQuick, connections, numbers: [few, some, many] }) {
  const sizes = { connections, pairs: isQuick ? 2_000 : 20_000, publications: isQuick ? 20_000 : 1_000_000 };
  const runs = new Map([few, some, many].map((count) => [count, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [count, results] of runs) results.push(await among(count, sizes));
  }
  const of = (count, key) => median(runs.get(count).map((result) => result[key]));
  const row = ([name, key, most]) => {
    const ratio = of(many, key) / of(few, key);
    return {
      cells: [name, ...[few, some, many].map((count) => `${of(count, key).toFixed(2)} µs`), ratio.toFixed(2)],
      text: `${name} among ${grouped(many)} channels: ${ratio.toFixed(2)} × among ${few} (at most ${most})`,
      isMet: ratio <= most,
      series: { name, points: [few, some, many].map((count) => [count, of(count, key)]) },
    };
  };
  const joins = [
    ['joining and leaving a channel with others', 'known', MOST_PER_SUBSCRIBE],
    ['joining and leaving a new channel', 'fresh', MOST_PER_SUBSCRIBE],
  ].map(row);
  const publications = [
    ['a publication to nobody', 'empty', Infinity],
    ['a publication to nobody, with a history of its own', 'kept', MOST_PER_PUBLICATION],
  ].map(row);
  const byHand = row(['the same by hand, with a `Map` of as many', 'byHand', Infinity]);
  const grownBy = (key) => of(many, key) - of(few, key);
  const growth = grownBy('empty') / grownBy('byHand');
  const bytes = [some, many].map((count) => of(count, 'bytes'));
  const grown = bytes[1] / bytes[0];
  return {
    title: 'What one operation costs, against the number of channels',
    head: [
      'what',
      ...[few, some, many].map((count) => `${grouped(count)} channels`),
      `${grouped(many)} : ${few}`,
    ],
    rows: [
      ...[...joins, ...publications, byHand].map(({ cells }) => cells),
      ['heap of a channel with one subscriber', '', ...bytes.map((each) => `${Math.round(each)} B`), ''],
    ],
    bars: [
      ...joins,
      {
        text:
          `a publication to nobody among ${grouped(many)} channels takes ${grownBy('empty').toFixed(2)} µs more than among ` +
          `${few}: ${growth.toFixed(2)} × what it takes more by hand (at most ${MOST_GROWTH})`,
        isMet: growth <= MOST_GROWTH,
      },
      ...publications.slice(1),
      {
        text: `a channel of ${grouped(many)} takes ${grown.toFixed(2)} × the heap of one of ${grouped(some)} (at most ${MOST_MEMORY})`,
        isMet: grown <= MOST_MEMORY,
      },
    ],
    plots: [
      {
        name: 'scale-subscribe',
        title: 'CPU of the server for a subscribe and its unsubscribe',
        x: 'channels that exist',
        y: 'CPU, µs for both',
        log: true,
        series: joins.map(({ series }) => series),
      },
      {
        name: 'scale-publish',
        title: 'CPU of the server for a publication to a channel that nobody is in',
        x: 'other channels that exist',
        y: 'CPU, µs per publication',
        log: true,
        series: [...publications, byHand].map(({ series }) => series),
      },
    ],
  };
}

function nextFresh(at) {
  return `room:n${padded(at)}`;
}

function among(count, { connections, pairs, publications }) {
  return withServer('scale', async (server) => {
    const residents = new Readers(server.port);
    const guests = new Readers(server.port);
    await residents.open(connections);
    await guests.open(LANES);
    const nextKnown = (at) => `room:c${padded((at * 7_919) % count)}`;
    // What is compiled on first use has nothing to do with how many there are.
    await joinAndLeave(guests, nextFresh, pairs / 2);
    const before = await server.ask('memory');
    await residents.join((number) => share(count, connections, number));
    await expectSize(server, 'channels', count);
    const after = await server.ask('memory');
    for (const next of [nextKnown, nextFresh]) await joinAndLeave(guests, next, pairs / 2);
    const known = (await cpuOf(server, () => joinAndLeave(guests, nextKnown, pairs))) / pairs;
    const fresh = (await cpuOf(server, () => joinAndLeave(guests, nextFresh, pairs))) / pairs;
    await expectSize(server, 'channels', count);
    const flood = { total: publications, perTurn: PER_TURN };
    const toNobody = (prefix, most) => server.ask('flood', { ...flood, prefix, channels: most });
    await toNobody('room:e', EMPTY_CHANNELS);
    const empty = await toNobody('room:e', EMPTY_CHANNELS);
    await toNobody('kept:a', NEW_HISTORIES);
    const kept = await toNobody('kept:b', NEW_HISTORIES);
    const byHand = { ...flood, prefix: 'room:e', channels: EMPTY_CHANNELS, entries: count };
    await server.ask('floodByHand', byHand);
    const { microseconds: bare } = await server.ask('floodByHand', byHand);
    residents.end();
    guests.end();
    return {
      known,
      fresh,
      empty: empty.microseconds,
      kept: kept.microseconds,
      byHand: bare,
      bytes: (after.heapUsed - before.heapUsed) / count,
    };
  });
}

/** The channels of one connection: as many of `count` as of the others, or one more. */
function share(count, connections, number) {
  const from = Math.floor((number * count) / connections);
  const to = Math.floor(((number + 1) * count) / connections);
  return Array.from({ length: to - from }, (_, at) => `room:c${padded(from + at)}`);
}

/** Each guest joins and leaves one channel after the other, with some of both on their way. */
async function joinAndLeave(guests, channelOf, total) {
  const batches = total / LANES / PAIRS_IN_FLIGHT;
  for (let batch = 0; batch < batches; batch++) {
    const answered = guests.frames(2 * LANES * PAIRS_IN_FLIGHT);
    for (const [lane, socket] of guests.sockets.entries()) {
      const first = (batch * LANES + lane) * PAIRS_IN_FLIGHT;
      const names = Array.from({ length: PAIRS_IN_FLIGHT }, (_, at) => channelOf(first + at));
      socket.write(Buffer.concat(names.flatMap((name) => [subscribe(name), unsubscribe(name)])));
    }
    await answered;
  }
}

// Publications of 120 bytes to 1,000 subscribers, one or more of them in each turn of the loop. CPU of the server per
// delivery.
import { atLeast, atMost, onServer } from './contest.mjs';
import { CountingPeers } from './counting-peers.mjs';

const SUBSCRIBERS = 1_000;
const PUBLICATIONS = { warmUp: 100, quick: 100, full: 800 };
const BYTES = 120;

const parts = {
  'fanout-1': { perTurn: 1, bars: [atMost(0.95, 'ws'), atMost(0.65, 'socket-io')] },
  'fanout-5': { perTurn: 5, bars: [atMost(0.25, 'ws'), atMost(0.2, 'socket-io'), atLeast(4.5, 'ws')] },
  'fanout-20': { perTurn: 20, bars: [atMost(0.09, 'ws')] },
};

export const FANOUT = {
  section: 'fanout',
  servers: ['ws', 'socket-io', 'channels'],
  ratios: ['microseconds', 'perSecond'],
  figures: ['microseconds', 'perSecond', 'loadPercent'],
  parts,
  run: (entry, names, { quick }) =>
    onServer(entry, async (server) => {
      const peers = await openRoom(server, SUBSCRIBERS);
      const results = {};
      for (const name of names) {
        const { perTurn } = parts[name];
        await publish(server, peers, { perTurn, publications: PUBLICATIONS.warmUp });
        const publications = quick ? PUBLICATIONS.quick : PUBLICATIONS.full;
        const usage = await server.measure(() => publish(server, peers, { perTurn, publications }));
        const deliveries = publications * SUBSCRIBERS;
        results[name] = {
          microseconds: usage.cpu / deliveries,
          perSecond: deliveries / usage.seconds,
          loadPercent: usage.loadPercent,
        };
      }
      await peers.close();
      return results;
    }),
};

/** Peers who are all in the room that the servers publish to. With `extensions` each has said something compressed. */
export async function openRoom(server, count, extensions) {
  const peers = await new CountingPeers().open(server, count, extensions);
  const isDeflated = extensions !== undefined;
  const greeting = server.dialect.join ?? (isDeflated ? server.dialect.requestOf('echo', 1) : undefined);
  if (greeting) await peers.askAll(greeting, { isDeflated });
  return peers;
}

/** Resolves when all of them are where they belong. */
export async function publish(server, peers, { perTurn = 1, publications = 1, data = dataOf(BYTES) }) {
  let left = publications * peers.all.length;
  const delivered = new Promise((resolve) => {
    peers.onFrames = (_peer, frames) => {
      left -= frames;
      if (left === 0) resolve();
    };
  });
  server.send({ type: 'publish', perTurn, turns: publications / perTurn, data });
  await peers.until(delivered);
}

/** Data that is so long as JSON. */
export function dataOf(bytes) {
  const data = { id: 42, from: 'alice', text: '' };
  return { ...data, text: 'x'.repeat(bytes - JSON.stringify(data).length) };
}

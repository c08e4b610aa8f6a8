// 10,000 subscribers, and a client whose messages a server publishes: a hundred at once, a hundred within a second, and
// five a second. How long from the message to the arrival of what was published.
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, onServer } from './contest.mjs';
import { CountingPeers } from './counting-peers.mjs';
import { dataOf, openRoom } from './fanout.mjs';
import { frame } from './load.mjs';
import { percentile } from './numbers.mjs';

const SUBSCRIBERS = { quick: 1_000, full: 10_000 };
const BYTES = 120;
/** As long as nothing arrives until what is missing counts as lost. */
const PATIENCE_MS = 10_000;
const BUCKETS_PER_MS = 10;
/** What took longer counts as this. */
const MOST_MS = 120_000;

const WARM_UP = { messages: 20, everyMs: 20 };

const BURST_BARS = [atMost(0.4, 'ws', 'p99Ms'), atMost(0, undefined, 'lost')];
const parts = {
  'overload-at-once': { messages: 100, everyMs: 0, bars: BURST_BARS },
  'overload-within-1s': { messages: 100, everyMs: 10, bars: BURST_BARS },
  'overload-steady': {
    messages: 25,
    quick: 10,
    everyMs: 200,
    bars: [atMost(1, 'ws', 'p99Ms'), atMost(0, undefined, 'lost')],
  },
};

export const OVERLOAD = {
  section: 'overload',
  servers: ['ws', 'channels'],
  ratios: ['p99Ms', 'p50Ms', 'microseconds'],
  figures: ['p50Ms', 'p99Ms', 'maxMs', 'lost', 'sentMs', 'microseconds', 'loadPercent'],
  parts,
  run: (entry, names, { quick }) =>
    onServer(entry, async (server) => {
      const subscribers = quick ? SUBSCRIBERS.quick : SUBSCRIBERS.full;
      const peers = await openRoom(server, subscribers);
      const sender = await new CountingPeers().open(server, 1);
      await send(peers, sender, WARM_UP);
      const results = {};
      for (const name of names) {
        const { messages: full, everyMs, quick: few = full } = parts[name];
        const messages = quick ? few : full;
        const delivery = {};
        const usage = await server.measure(async () =>
          Object.assign(delivery, await send(peers, sender, { messages, everyMs })),
        );
        results[name] = {
          ...delivery,
          microseconds: usage.cpu / (subscribers * messages),
          loadPercent: usage.loadPercent,
        };
      }
      await Promise.all([peers.close(), sender.close()]);
      return results;
    }),
};

/** Sends so many messages, and resolves when what they publish is everywhere. A server keeps their order. */
async function send(peers, sender, { messages, everyMs }) {
  const sentAt = [];
  const arrivals = countArrivals(peers, sentAt, messages);
  const message = frame(JSON.stringify({ event: 'publish', data: dataOf(BYTES) }));
  const startedAt = performance.now();
  while (sentAt.length < messages) {
    const due = everyMs > 0 ? Math.floor((performance.now() - startedAt) / everyMs) + 1 : messages;
    const count = Math.min(due, messages) - sentAt.length;
    for (let at = 0; at < count; at++) sentAt.push(performance.now());
    if (count > 0) sender.all[0].write(Buffer.concat(Array.from({ length: count }, () => message)));
    const nextAt = startedAt + sentAt.length * everyMs;
    if (sentAt.length < messages) await sleep(Math.max(0, nextAt - performance.now()));
  }
  const { counts, lost } = await peers.until(arrivals);
  const at = (share) => percentile(counts, share) / BUCKETS_PER_MS;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), lost, sentMs: sentAt.at(-1) - sentAt[0] };
}

/** Resolves with how often each delay was seen, in tenths of a millisecond, and how many have not come. */
async function countArrivals(peers, sentAt, messages) {
  const buckets = new Uint32Array(MOST_MS * BUCKETS_PER_MS + 1);
  let left = peers.all.length * messages;
  let lastAt = performance.now();
  const done = new Promise((resolve) => {
    peers.reset();
    peers.onFrames = (peer, frames) => {
      lastAt = performance.now();
      for (let number = peer.frames; number < peer.frames + frames; number++) {
        const delayMs = Math.min(lastAt - sentAt[number], MOST_MS);
        buckets[Math.ceil(delayMs * BUCKETS_PER_MS)]++;
      }
      left -= frames;
      if (left === 0) resolve();
    };
  });
  const isWaiting = new AbortController();
  const lostPatience = async () => {
    while (!isWaiting.signal.aborted && performance.now() - lastAt < PATIENCE_MS) await sleep(100);
  };
  await Promise.race([done, lostPatience()]);
  isWaiting.abort();
  const counts = Object.fromEntries([...buckets.entries()].filter(([, count]) => count > 0));
  return { counts, lost: left };
}

// Publications of 2 KB to 500 subscribers who offer what browsers do: CPU of the server and bytes per delivery, and what
// a connection keeps for it.
import { atMost, onServer } from './contest.mjs';
import { openRoom, publish } from './fanout.mjs';
import { proseOf } from './prose.mjs';

const OFFER = 'permessage-deflate; client_max_window_bits';
const BYTES = 2_048;
const SUBSCRIBERS = 500;
const PUBLICATIONS = { warmUp: 10, quick: 20, full: 200 };
/** For its memory: enough that what a process has more or less by chance divides to little. */
const CONNECTIONS = { quick: 500, full: 2_000 };
const KIB = 1_024;

const threshold = 1_024;
const wsWith = (options) => JSON.stringify({ perMessageDeflate: { threshold, ...options } });
const CHANNELS_ARGS = ['0', JSON.stringify({ compression: { threshold } })];
const SERVERS = [
  { name: 'ws', file: 'ws', args: [wsWith({})] },
  { name: 'ws without takeover', file: 'ws', args: [wsWith({ serverNoContextTakeover: true })] },
  { name: 'channels', file: 'channels', args: CHANNELS_ARGS },
];

const measures = {
  compression: measureDeliveries,
  'compression-memory': measureMemory,
};

const withParts = (name, rest) => ({
  section: 'compression',
  servers: SERVERS,
  ...rest,
  run: async (entry, _names, options) => ({ [name]: await measures[name](entry, options) }),
});

export const COMPRESSION = [
  withParts('compression', {
    ratios: ['microseconds', 'bytes', 'perSecond'],
    figures: ['microseconds', 'bytes', 'perSecond', 'loadPercent'],
    parts: { compression: { bars: [atMost(0.2, 'ws'), atMost(1.15, 'ws without takeover', 'bytes')] } },
  }),
  withParts('compression-memory', {
    ratios: ['rssKib', 'heapKib'],
    figures: ['rssKib', 'heapKib'],
    parts: {
      'compression-memory': { bars: ['rssKib', 'heapKib'].map((key) => atMost(10, undefined, key)) },
    },
  }),
];

function measureDeliveries(entry, { quick }) {
  return onServer(entry, async (server) => {
    const peers = await openRoom(server, SUBSCRIBERS, OFFER);
    await publishEach(server, peers, { first: 1, count: PUBLICATIONS.warmUp });
    peers.reset();
    const count = quick ? PUBLICATIONS.quick : PUBLICATIONS.full;
    const { cpu, seconds, loadPercent } = await server.measure(() =>
      publishEach(server, peers, { first: 1 + PUBLICATIONS.warmUp, count }),
    );
    const { bytes } = peers;
    await peers.close();
    const deliveries = count * SUBSCRIBERS;
    return {
      microseconds: cpu / deliveries,
      bytes: bytes / deliveries,
      perSecond: deliveries / seconds,
      loadPercent,
    };
  });
}

/** What a connection that compresses keeps beyond one that has not offered to, each kind on a server of its own. */
async function measureMemory(entry, { quick }) {
  const connections = quick ? CONNECTIONS.quick : CONNECTIONS.full;
  const plain = await memoryOf(entry, connections);
  const compressed = await memoryOf(entry, connections, OFFER);
  const each = (key) => (compressed[key] - plain[key]) / connections / KIB;
  return { rssKib: each('anonymous'), heapKib: each('heapUsed') + each('external') };
}

function memoryOf(entry, connections, extensions) {
  return onServer(entry, async (server) => {
    const peers = await openRoom(server, connections, extensions);
    await publishEach(server, peers, { first: 1, count: PUBLICATIONS.warmUp });
    const memory = await server.ask('memory');
    await peers.close();
    return memory;
  });
}

/**
 * The next one is published when the last one is everywhere: no server is measured by its queue. None comes twice, or a
 * window that is kept would hold it already.
 */
async function publishEach(server, peers, { first, count }) {
  for (let seed = first; seed < first + count; seed++) {
    await publish(server, peers, { data: proseOf(seed, BYTES) });
  }
}

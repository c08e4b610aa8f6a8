// Request and answer: each connection keeps some requests under way. CPU of the server per answer.
import { atLeast, onServer } from './contest.mjs';
import { CountingPeers } from './counting-peers.mjs';
import { Requests } from './dialects.mjs';

const ANSWERS = { warmUp: 100_000, quick: 20_000, full: 200_000 };
/** Of the bytes that are counted, what may belong to pings. */
const PINGS_SHARE = 0.001;

function echo({ name, connections, inFlight, event = 'echo', servers, bars }) {
  return {
    section: 'requests',
    servers,
    ratios: ['perSecond', 'microseconds'],
    figures: ['perSecond', 'microseconds', 'loadPercent'],
    parts: { [name]: { bars } },
    run: (entry, _names, { quick }) =>
      onServer(entry, async (server) => {
        const peers = await new CountingPeers().open(server, connections);
        const requests = new Requests(server.dialect, event);
        const ask = (total) => askAndCount(peers, requests, { inFlight, total });
        const length = await lengthOfAnswer(peers, requests);
        await ask(quick ? ANSWERS.quick : ANSWERS.warmUp);
        peers.reset();
        const total = quick ? ANSWERS.quick : ANSWERS.full;
        const { cpu, seconds, loadPercent } = await server.measure(() => ask(total));
        const unlike = Math.abs(peers.bytes / (total * length) - 1);
        if (unlike > PINGS_SHARE) throw new Error(`not all answers have ${length} bytes`);
        await peers.close();
        return { [name]: { perSecond: total / seconds, microseconds: cpu / total, loadPercent } };
      }),
  };
}

/** Of one that has the data of its request. An answer that refuses would count as one, too, but has another length. */
async function lengthOfAnswer(peers, requests) {
  const answer = new Promise((resolve) => {
    peers.onFrames = (_peer, _frames, bytes) => resolve(Buffer.from(bytes));
  });
  peers.all[0].write(requests.take(1));
  const bytes = await peers.until(answer);
  if (!bytes.includes('"text":"hello"')) throw new Error(`no answer to the request: ${bytes}`);
  return bytes.length;
}

/** What has been answered in one chunk is asked again in one write, until so many have been asked. */
async function askAndCount(peers, requests, { inFlight, total }) {
  let unasked = total;
  let unanswered = total;
  const ask = (peer, most) => {
    const count = Math.min(most, unasked);
    unasked -= count;
    if (count > 0) peer.write(requests.take(count));
  };
  const answered = new Promise((resolve) => {
    peers.onFrames = (peer, frames) => {
      unanswered -= frames;
      if (unanswered === 0) resolve();
      else ask(peer, frames);
    };
  });
  for (const peer of peers.all) ask(peer, inFlight);
  await peers.until(answered);
}

const ALL = ['ws', 'platform-ws', 'socket-io', 'platform-socket-io', 'channels'];

export const REQUESTS = [
  echo({
    name: 'echo-50x20',
    connections: 50,
    inFlight: 20,
    servers: ALL,
    bars: [atLeast(2.5, 'ws'), atLeast(4, 'platform-ws'), atLeast(4, 'platform-socket-io')],
  }),
  echo({
    name: 'echo-200x1',
    connections: 200,
    inFlight: 1,
    servers: ALL,
    bars: [atLeast(1, 'ws'), atLeast(1.6, 'platform-ws'), atLeast(2.5, 'platform-socket-io')],
  }),
  // A handler that runs once per id. The rival has none, and answers as it does above.
  echo({
    name: 'acked-50x20',
    connections: 50,
    inFlight: 20,
    event: 'acked',
    servers: ['ws', 'channels'],
    bars: [atLeast(1.5, 'ws')],
  }),
  echo({
    name: 'guarded-50x20',
    connections: 50,
    inFlight: 20,
    event: 'guarded',
    servers: ['platform-ws', 'channels'].map((name) => ({ name, file: 'guarded', args: [name] })),
    bars: [atLeast(2, 'platform-ws')],
  }),
];

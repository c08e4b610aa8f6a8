// The clients of bench/jitter.mjs, in a process of their own: real ones, each on a network that comes and goes.
import { ChannelsClient } from 'nestjs-channels/client';
import { DirectNetwork, Network } from './network.mjs';
import { now } from './numbers.mjs';
import { Tape } from './tape.mjs';

/** Clients that share a network, and so are cut together. */
const PER_NETWORK = 10;
/** Clients that connect for the first time at the same time. */
const BATCH = 50;

const CUT_EVERY_MS = 15_000;
const OFFLINE_MS = 2_000;

const networks = [];
const listeners = [];
const timers = new Set();

process.on('disconnect', () => process.exit());
process.on('message', async ({ type, ...order }) => {
  const answer = await ORDERS[type](order);
  process.send({ type, ...answer });
});

const ORDERS = {
  async open({ port, count, isPlain, isDirect }) {
    for (let at = 0; at < count; at += PER_NETWORK) {
      networks.push(isDirect ? new DirectNetwork(port) : await Network.to(port));
    }
    for (let at = 0; at < count; at += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - at) }, (_, offset) => {
        const network = networks[Math.floor((at + offset) / PER_NETWORK)];
        return network.run(() => new Listener(network, isPlain));
      });
      listeners.push(...batch);
      await Promise.all(batch.map(({ joined }) => joined));
    }
  },

  /** Each network goes at its own time, or all of them at once. */
  start({ isTogether }) {
    const startedAt = now();
    const share = CUT_EVERY_MS / networks.length;
    for (const [at, network] of networks.entries()) {
      // From 1 s on, so that there is something to go on from, and before there would be a second cut.
      cutAgain(network, startedAt + 1_000 + (isTogether ? 4_000 : at * share));
    }
  },

  /** Whoever is away comes back. */
  stop() {
    for (const timer of timers) clearTimeout(timer);
    for (const network of networks) network.mend();
  },

  away: () => ({ count: listeners.filter(({ isAway }) => isAway).length }),

  behind: ({ last }) => ({ count: listeners.filter(({ tape }) => tape.last < last).length }),

  result({ last }) {
    const { count: behind } = ORDERS.behind({ last });
    const result = { clients: listeners.length, behind, latencies: {}, replays: {} };
    for (const { tape, ...counts } of listeners) {
      tape.end(last);
      add(result, tape);
      add(result, counts);
    }
    return result;
  },
};

/** One client, and what became of it. */
class Listener {
  tape = new Tape();
  isAway = true;
  cuts = 0;
  hints = 0;
  recovered = 0;
  /** Milliseconds from publication to delivery, and how often each: of all, and of what was published meanwhile. */
  latencies = {};
  replays = {};
  #joinedAt = 0;

  constructor({ url, WebSocket }, isPlain) {
    const client = new ChannelsClient(url, { WebSocket, server: isPlain ? 'plain' : 'channels' });
    this.joined = new Promise((resolve) => {
      client.on('$state', (state) => {
        this.#count(state);
        if (isPlain && state.name === 'open') resolve(this.#join());
      });
      if (!isPlain) client.channel('room:1').on('$subscribed', (told) => resolve(this.#join(told)));
    });
    client.on('$gap', () => this.tape.gap());
    const source = isPlain ? client : client.channel('room:1');
    source.on('message', ({ number, at }) => this.#take(number, at));
    client.connect();
  }

  #count({ name, reason }) {
    if (name === 'waiting') this.isAway = true;
    if (name === 'waiting' && reason === 'closed_by_server') this.cuts++;
    if (name === 'connecting' && reason === 'hint') this.hints++;
  }

  #join({ recovered } = {}) {
    this.#joinedAt = now();
    this.isAway = false;
    if (recovered) this.recovered++;
  }

  #take(number, at) {
    this.tape.take(number);
    const ms = Math.round(now() - at);
    this.latencies[ms] = (this.latencies[ms] ?? 0) + 1;
    if (at < this.#joinedAt) this.replays[ms] = (this.replays[ms] ?? 0) + 1;
  }
}

function cutAgain(network, at) {
  later(at, () => {
    network.cut();
    later(at + OFFLINE_MS, () => network.mend());
    cutAgain(network, at + CUT_EVERY_MS);
  });
}

function later(at, work) {
  const timer = setTimeout(() => {
    timers.delete(timer);
    work();
  }, at - now());
  timers.add(timer);
}

/** Adds numbers, and those in objects by their keys. */
function add(sum, values) {
  for (const [key, value] of Object.entries(values)) {
    if (typeof value === 'number') sum[key] = (sum[key] ?? 0) + value;
    else if (key in sum) add(sum[key], value);
  }
}

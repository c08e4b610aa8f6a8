import { setTimeout as delay } from 'node:timers/promises';
import { FaultProxy } from '../../dist/testing/index.js';
import { Crowd } from './crowd.mjs';
import { Exchange } from './exchange.mjs';
import { Ledger } from './ledger.mjs';
import { NodeProcess } from './node-process.mjs';
import { planOf } from './plan.mjs';
import { SeededRandom } from './random.mjs';

const NODES = 2;
const LINKS = 10;

/** Nobody connects from here, so that the port of a node that is down stays free. */
const NODE_HOST = '127.77.0.1';

/** A channel of everybody, whose history bridges every outage, and one for each link, whose history does not. */
const ALL = 'deep:all';
const HISTORIES = { 'deep:{name}': 100, 'shallow:{name}': 10 };

/** Which part of the publications is lost on the way to a node. */
const LOSS = 0.05;

const PUBLISH_EVERY_MS = 50;
/** One of so many publications is for everybody. */
const ALL_EVERY = 6;

/** How long it may take, once all is well again, until everybody has everything. */
const SETTLE_MS = 40_000;

const OPTIONS = {
  heartbeatIntervalMs: 1_500,
  heartbeatTimeoutMs: 4_000,
  clientTimeoutMs: 5_000,
  positionCheckMs: 1_000,
  shutdownTimeoutMs: 500,
};

/** Servers, clients and a bad network between them. */
export class World {
  #random;
  #ledger = new Ledger((channel) => HISTORIES[`${channel.split(':')[0]}:{name}`]);
  #exchange;
  #nodes;
  #proxies = [];
  #crowd;
  #published = 0;
  #drawn = 0;
  #publisher;
  #faults = {};
  #pending = [];

  constructor({ seed, clients, packageUrl, ChannelsClient }) {
    this.#random = new SeededRandom(seed);
    this.clients = clients;
    this.ChannelsClient = ChannelsClient;
    this.#exchange = new Exchange(this.#ledger, new SeededRandom(seed + 1), LOSS);
    const settings = { options: OPTIONS, histories: HISTORIES };
    const parts = { host: NODE_HOST, exchange: this.#exchange, ledger: this.#ledger, packageUrl, settings };
    this.#nodes = Array.from({ length: NODES }, (_, at) => new NodeProcess({ name: `node ${at}`, ...parts }));
  }

  async open() {
    await Promise.all(this.#nodes.map((node) => node.start()));
    for (let link = 0; link < LINKS; link += 1) {
      const { host, port } = this.#nodes[link % NODES];
      this.#proxies.push(await FaultProxy.start({ target: { host, port }, random: this.#random }));
    }
    const places = Array.from({ length: this.clients }, (_, at) => ({
      url: this.#proxies[at % LINKS].url('/ws'),
      channels: [ALL, `shallow:${at % LINKS}`],
    }));
    const { ChannelsClient } = this;
    this.#crowd = new Crowd({ ChannelsClient, ledger: this.#ledger, random: this.#random, places });
    await this.#crowd.open();
  }

  /** Traffic, and everything that goes wrong meanwhile. */
  async run(ms) {
    const plan = planOf(this.#random, { ms, links: LINKS, nodes: NODES });
    this.#crowd.startSending();
    const startedAt = performance.now();
    this.#publisher = setInterval(() => this.#publish(performance.now() - startedAt), PUBLISH_EVERY_MS);
    for (const fault of plan) {
      await delay(Math.max(0, fault.at - (performance.now() - startedAt)));
      this.#do(fault);
    }
    await delay(Math.max(0, ms - (performance.now() - startedAt)));
    clearInterval(this.#publisher);
    this.#crowd.stopSending();
  }

  /** The network is well again, though the broker still loses; false where somebody does not get everything. */
  async settle() {
    await Promise.all(this.#pending);
    for (const proxy of this.#proxies) {
      proxy.refuse = false;
      proxy.heal();
    }
    // The last of a channel: nothing behind it shows that it was lost.
    for (let link = 0; link < LINKS; link += 1) this.#publishOn(`shallow:${link}`);
    this.#publishOn(ALL);
    const deadline = performance.now() + SETTLE_MS;
    await delay(500);
    while (!this.#ledger.isSettled && performance.now() < deadline) await delay(100);
    this.#ledger.close();
  }

  async close() {
    clearInterval(this.#publisher);
    this.#crowd?.close();
    await Promise.allSettled(this.#pending);
    await Promise.all(this.#nodes.map((node) => node.end('SIGKILL')));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    this.#exchange.close();
  }

  get violations() {
    return this.#ledger.violations;
  }

  get report() {
    const { counts, violations } = this.#ledger;
    return {
      checked: counts.deliveries + counts.effects,
      ...counts,
      published: this.#drawn,
      lostOnTheWay: this.#exchange.lost,
      connectionsLost: this.#crowd?.losses,
      faults: this.#faults,
      unanswered: this.#crowd?.unanswered,
      violations,
    };
  }

  /** As many as are due: a machine that is busy publishes in bursts, and not less. */
  #publish(ms) {
    while (this.#published * PUBLISH_EVERY_MS < ms) {
      this.#published += 1;
      const isForAll = this.#published % ALL_EVERY === 0;
      this.#publishOn(isForAll ? ALL : `shallow:${this.#random.below(LINKS)}`);
    }
  }

  #publishOn(channel) {
    const up = this.#nodes.filter(({ isUp }) => isUp);
    if (up.length > 0) this.#random.pick(up).publish(channel, { n: this.#drawn++ });
  }

  #do(fault) {
    const name = fault.signal ?? fault.type;
    this.#faults[name] = (this.#faults[name] ?? 0) + 1;
    if (fault.type === 'forget') this.#exchange.forget();
    else if (fault.type === 'restart') this.#later(this.#restart(this.#nodes[fault.node], fault));
    else if (fault.type === 'deaf') this.#later(this.#deafen(this.#nodes[fault.node], fault));
    else this.#later(this.#spoil(this.#proxies[fault.link], fault));
  }

  #later(work) {
    this.#pending.push(work.catch((error) => this.#ledger.fail(String(error.stack))));
  }

  async #restart(node, { signal, forMs }) {
    if (!node.isUp) return;
    await node.end(signal);
    await delay(forMs);
    await node.start();
  }

  async #deafen({ link }, { forMs }) {
    link.isDeaf = true;
    await delay(forMs);
    link.isDeaf = false;
  }

  async #spoil(proxy, { type, latencyMs, jitterMs, bytes, direction, forMs }) {
    if (type === 'latency') Object.assign(proxy, { latencyMs, jitterMs });
    else if (type === 'reset') proxy.reset();
    else if (type === 'cut') proxy.cutAfter(bytes, direction);
    else if (type === 'refuse') {
      proxy.refuse = true;
      proxy.reset();
      await delay(forMs);
      proxy.refuse = false;
    } else {
      proxy.blackHole();
      await delay(forMs);
      proxy.heal();
    }
  }
}

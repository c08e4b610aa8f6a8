// The clients of bench/node-death.mjs, in a process of their own: real ones, as their users have them.
import { ChannelsClient } from 'nestjs-channels/client';
import { WebSocket } from 'ws';
import { now } from './numbers.mjs';
import { Tape } from './tape.mjs';

/** Clients that connect for the first time at the same time. */
const BATCH = 50;

/** Orders that one client makes at most. */
const MAX_ORDERS = 1_000;

const customers = [];
let ignoresGaps = false;

process.on('disconnect', () => process.exit());
process.on('message', async ({ type, ...order }) => {
  process.send({ type, ...(await ORDERS[type](order)) });
});

const ORDERS = {
  /** @param places - `user`, `kind` and `hall` of each; numbered from `first` on */
  async open({ url, places, first, without }) {
    ignoresGaps = without.includes('gaps');
    for (let at = 0; at < places.length; at += BATCH) {
      const batch = places
        .slice(at, at + BATCH)
        .map((place, offset) => new Customer(url, { ...place, number: first + at + offset }));
      customers.push(...batch);
      await Promise.all(batch.map((customer) => customer.joins()));
    }
  },

  where: () => ({ nodes: customers.map(({ kind, node }) => `${kind} ${node}`) }),

  /** Each makes an order every so often, from a moment of its own on; watchers learn who is there. */
  async start({ everyMs }) {
    for (const customer of customers) customer.startOrders(everyMs);
    await Promise.all(watchers().map((watcher) => watcher.watch()));
  },

  stop() {
    for (const customer of customers) customer.stopOrders();
  },

  away: () => ({ count: customers.filter(({ isAway }) => isAway).length }),
  unanswered: () => ({ count: customers.reduce((sum, { unanswered }) => sum + unanswered, 0) }),
  behind: ({ last }) => ({ count: customers.filter((each) => each.isHere && each.tape.last < last).length }),

  /** Who is in each hall, as a watcher in it is told. */
  async halls() {
    const watcherOf = new Map(watchers().map((customer) => [customer.hall.name, customer]));
    const halls = [...watcherOf.values()].map((watcher) => watcher.members());
    // A node that is busy may say `unavailable`: then nothing is told of this hall.
    const told = await Promise.allSettled(halls);
    return { halls: told.map(({ value }) => value).filter(Boolean) };
  },

  /** The same, as each watcher has it from `$join` and `$leave`. */
  rosters: () => ({
    rosters: watchers().map(({ hall, roster, wrong }) => ({ hall: hall.name, members: [...roster], wrong })),
  }),

  result({ last }) {
    return {
      customers: customers.map(
        ({ kind, tape, backAt, lost, recovered, orders, rejected, slowestMs, isHere }) => {
          // Who has gone on purpose has not missed what came later.
          if (isHere) tape.end(last);
          return { kind, ...tape, backAt, lost, recovered, orders, rejected, slowestMs };
        },
      ),
    };
  },
};

function watchers() {
  return customers.filter(({ kind }) => kind === 'watcher');
}

/** One client, and what became of it. */
class Customer {
  tape = new Tape();
  node = '';
  /** When it was last in both channels again. */
  backAt = 0;
  lost = 0;
  recovered = 0;
  orders = 0;
  unanswered = 0;
  rejected = [];
  slowestMs = 0;
  roster = new Set();
  /** `$join` of somebody who was there, `$leave` of somebody who was not. */
  wrong = 0;
  #in = new Set();
  #joined = () => {};
  #timer;

  constructor(url, { user, kind, hall, number }) {
    this.kind = kind;
    this.number = number;
    this.client = new ChannelsClient(`${url}?user=${user}`, { WebSocket });
    this.hall = this.client.channel(`hall:${hall}`);
    this.client.on('$state', ({ name }) => name === 'waiting' && this.#lose());
    this.#listen(this.client.channel('news'));
    this.hall.on('$subscribed', () => this.#enter('hall'));
    this.hall.on('$join', ({ principal }) => this.#tell(principal, true));
    this.hall.on('$leave', ({ principal }) => this.#tell(principal, false));
    // What it rejects with is that it has left.
    this.hall.subscribe().catch(() => {});
  }

  /** Meant to be here, connected or not. */
  get isHere() {
    return this.client.state.name !== 'closed';
  }

  get isAway() {
    return this.isHere && this.#in.size < 2;
  }

  joins() {
    return new Promise((resolve) => {
      this.#joined = resolve;
    });
  }

  async watch() {
    const { members } = await this.members();
    this.roster = new Set(members.map(([principal]) => principal));
    this.wrong = 0;
  }

  async members() {
    const { members } = await this.hall.presence();
    const pairs = members.map(({ principal, connections }) => [principal, connections]);
    return { hall: this.hall.name, members: pairs };
  }

  startOrders(everyMs) {
    // Whoever leaves would take the answers along.
    if (this.kind === 'leaver') return;
    const order = () => {
      this.#timer = setTimeout(order, everyMs);
      void this.#order();
    };
    this.#timer = setTimeout(order, Math.random() * everyMs);
  }

  stopOrders() {
    clearTimeout(this.#timer);
  }

  #listen(news) {
    news.on('number', ({ number }) => this.tape.take(number));
    news.on('$gap', () => ignoresGaps || this.tape.gap());
    news.on('$subscribed', ({ data, recovered }) => {
      this.node = data.node;
      if (recovered) this.recovered++;
      this.#enter('news');
    });
  }

  #enter(channel) {
    this.#in.add(channel);
    if (this.#in.size < 2) return;
    this.backAt = now();
    this.#joined();
  }

  #lose() {
    if (this.#in.size > 0) this.lost++;
    this.#in.clear();
    if (this.kind === 'leaver') this.client.close();
  }

  #tell(principal, isThere) {
    if (this.roster.has(principal) === isThere) this.wrong++;
    if (isThere) this.roster.add(principal);
    else this.roster.delete(principal);
  }

  async #order() {
    if (this.orders === MAX_ORDERS) return;
    const order = this.number * MAX_ORDERS + this.orders++;
    const sentAt = now();
    this.unanswered++;
    try {
      const { amount } = await this.client.send('order', order);
      if (amount !== order) this.rejected.push('the answer of another order');
    } catch (error) {
      this.rejected.push(error.code);
    }
    this.unanswered--;
    this.slowestMs = Math.max(this.slowestMs, now() - sentAt);
  }
}

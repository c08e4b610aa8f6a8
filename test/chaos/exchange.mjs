// The broker that the nodes share, outside of them as a Redis would be. It loses publications on their way to a
// node, and never what it has accepted.
import { MemoryBroker } from '../../dist/core/memory-broker.js';
import { SystemClock, SystemRandom } from '../../dist/nest/system-clock.js';

export class Exchange {
  /** How many publications have not reached a node. */
  lost = 0;
  #broker;
  #links = new Set();
  #ledger;
  #random;
  #loss;

  /** @param loss which part of the publications does not reach a node */
  constructor(ledger, random, loss) {
    this.#ledger = ledger;
    this.#random = random;
    this.#loss = loss;
    this.#begin();
  }

  /** A node, by the function that sends to it. */
  attach(send) {
    const link = { send, channels: new Set(), isDeaf: false };
    this.#links.add(link);
    return link;
  }

  detach(link) {
    this.#links.delete(link);
    for (const channel of link.channels) this.#unsubscribe(channel, link);
  }

  /** Answers a call of the `Broker` port. */
  async ask(link, { id, method, args }) {
    const value = await this[method](args, link);
    link.send({ type: 'answer', id, value });
  }

  publish([publication, rule]) {
    return this.#broker.publish(publication, rule);
  }

  position([channel, rule]) {
    return this.#broker.position(channel, rule);
  }

  history([channel, rule, query]) {
    // JSON has no infinity.
    return this.#broker.history(channel, rule, { ...query, maxBytes: query.maxBytes ?? Infinity });
  }

  subscribe([channel], link) {
    link.channels.add(channel);
    this.#broker.subscribe(channel);
  }

  unsubscribe([channel], link) {
    link.channels.delete(channel);
    this.#unsubscribe(channel, link);
  }

  /** Every history is lost. */
  forget() {
    this.#broker.close();
    this.#ledger.epoch += 1;
    this.#begin();
    for (const { channels } of this.#links) for (const channel of channels) this.#broker.subscribe(channel);
  }

  close() {
    this.#broker.close();
  }

  #begin() {
    this.#broker = new MemoryBroker({ clock: new SystemClock(), random: new SystemRandom() });
    this.#broker.start((publication) => this.#deliver(publication));
  }

  #deliver(publication) {
    this.#ledger.published(publication.channel, JSON.parse(publication.data).n, this.#ledger.epoch);
    for (const link of this.#links) {
      if (!link.channels.has(publication.channel)) continue;
      if (link.isDeaf || this.#random.next() < this.#loss) this.lost += 1;
      else link.send({ type: 'publication', publication });
    }
  }

  #unsubscribe(channel, left) {
    for (const link of this.#links) if (link !== left && link.channels.has(channel)) return;
    this.#broker.unsubscribe(channel);
  }
}

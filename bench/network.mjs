// The network of some clients, and the page that each of them is on.
import { AsyncLocalStorage } from 'node:async_hooks';
import { FaultProxy } from 'nestjs-channels/testing';

const here = new AsyncLocalStorage();

// Where a client looks for the hints of its page: all that it does is done on the network that it was made on.
globalThis.addEventListener = (type, listener) => here.getStore()?.listeners(type).add(listener);
globalThis.removeEventListener = (type, listener) => here.getStore()?.listeners(type).delete(listener);

/** What the clients of one place share: a line that can be cut, and a browser that says so. */
export class Network {
  #listeners = new Map();

  constructor(proxy) {
    this.proxy = proxy;
  }

  static async to(port) {
    return new Network(await FaultProxy.start({ target: { port } }));
  }

  get url() {
    return this.proxy.url('/ws');
  }

  /** Runs what belongs to this network, with all that comes of it. */
  run(work) {
    return here.run(this, work);
  }

  /** Every connection is reset, and so is each attempt until it is whole again. */
  cut() {
    this.proxy.refuse = true;
    this.proxy.reset();
    this.#hint('offline');
  }

  mend() {
    this.proxy.refuse = false;
    this.#hint('online');
  }

  listeners(type) {
    const known = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, known);
    return known;
  }

  #hint(type) {
    for (const listener of [...this.listeners(type)]) this.run(listener);
  }
}

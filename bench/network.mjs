// The network of some clients, and the page that each of them is on.
import { AsyncLocalStorage } from 'node:async_hooks';
import { FaultProxy } from 'nestjs-channels/testing';
import { WebSocket } from 'ws';

const here = new AsyncLocalStorage();

// Where a client looks for the hints of its page: all that it does is done on the network that it was made on.
globalThis.addEventListener = (type, listener) => here.getStore()?.listeners(type).add(listener);
globalThis.removeEventListener = (type, listener) => here.getStore()?.listeners(type).delete(listener);

/** What the clients of one place share: a line that can be cut, and a browser that says so. */
class Place {
  #listeners = new Map();

  /** Runs what belongs to this network, with all that comes of it. */
  run(work) {
    return here.run(this, work);
  }

  listeners(type) {
    const known = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, known);
    return known;
  }

  hint(type) {
    for (const listener of [...this.listeners(type)]) this.run(listener);
  }
}

/** A proxy on the way: connections are reset, and so is each attempt until it is whole again. */
export class Network extends Place {
  WebSocket = WebSocket;

  constructor(proxy) {
    super();
    this.proxy = proxy;
  }

  static async to(port) {
    return new Network(await FaultProxy.start({ target: { port } }));
  }

  get url() {
    return this.proxy.url('/ws');
  }

  cut() {
    this.proxy.refuse = true;
    this.proxy.reset();
    this.hint('offline');
  }

  mend() {
    this.proxy.refuse = false;
    this.hint('online');
  }
}

/** Nobody listens there. */
const NOWHERE = 'ws://127.0.0.1:9/';

/**
 * Without a proxy, which is as much work as its clients: their own ends are destroyed, and attempts go nowhere until it
 * is whole again.
 */
export class DirectNetwork extends Place {
  #open = new Set();
  #isCut = false;

  constructor(port) {
    super();
    this.url = `ws://127.0.0.1:${port}/ws`;
    const made = (socket) => {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
    };
    const isCut = () => this.#isCut;
    this.WebSocket = class extends WebSocket {
      constructor(url, protocols) {
        super(isCut() ? NOWHERE : url, protocols);
        made(this);
      }
    };
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#open) socket.terminate();
    this.hint('offline');
  }

  mend() {
    this.#isCut = false;
    this.hint('online');
  }
}

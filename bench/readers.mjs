// Peers by the thousand that only count bytes: all frames that they wait for have the same length.
import { frame, frameLength, open } from './load.mjs';

/** Connections that are opened at the same time. */
const BATCH = 50;

export class Readers {
  sockets = [];
  /** All that has come behind the upgrades. */
  bytes = 0;
  #length = 0;
  #awaited = 0;
  /** What had come when it was begun to wait. */
  #from = 0;
  #settle = { done() {}, fail() {} };

  constructor(port) {
    this.port = port;
  }

  async open(count) {
    for (let at = 0; at < count; at += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - at) }, () => open(this.port, this.#take));
      this.sockets.push(...(await Promise.all(batch)));
    }
  }

  /**
   * Resolves when so many frames have come from now on. Begin to wait before anything is sent.
   *
   * @returns how many bytes that were
   * @throws Error where the first of them says that something was refused
   */
  frames(count) {
    this.#length = 0;
    this.#awaited = count;
    this.#from = this.bytes;
    return new Promise((done, fail) => (this.#settle = { done, fail }));
  }

  /**
   * Joins each reader to channels: all of them in one write, and answered when this resolves. Names of a call must have
   * one length, for that of an answer depends on it.
   *
   * @param channelsOf - by the number of the reader
   */
  async join(channelsOf) {
    const channels = this.sockets.map((_, number) => channelsOf(number));
    for (let at = 0; at < this.sockets.length; at += BATCH) {
      const end = Math.min(at + BATCH, this.sockets.length);
      const count = channels.slice(at, end).reduce((sum, each) => sum + each.length, 0);
      const answered = this.frames(count);
      for (let number = at; number < end; number++) {
        this.sockets[number].write(Buffer.concat(channels[number].map((channel) => subscribe(channel))));
      }
      if (count > 0) await answered;
    }
  }

  end() {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  #take = (bytes, _socket, chunk) => {
    if (this.#length === 0) this.#begin(chunk);
    this.bytes += bytes;
    const came = this.bytes - this.#from;
    if (came >= this.#length * this.#awaited) this.#settle.done(came);
  };

  #begin(chunk) {
    this.#length = frameLength(chunk);
    const text = chunk.toString('latin1', 0, this.#length);
    if (text.includes('"error":')) this.#settle.fail(new Error(text));
  }
}

const ID = 1_000_000;

export function subscribe(channel, id = ID) {
  return frame(JSON.stringify({ event: '$subscribe', id, data: { channel } }));
}

export function unsubscribe(channel, id = ID) {
  return frame(JSON.stringify({ event: '$unsubscribe', id, data: { channel } }));
}

/** A number in a name, so that all names are of one length. */
export function padded(number) {
  return String(number).padStart(7, '0');
}

/** CPU of a server, in microseconds, while `work` runs. */
export async function cpuOf(server, work) {
  const { cpu: before } = await server.ask('usage');
  await work();
  const { cpu } = await server.ask('usage');
  return cpu.user + cpu.system - before.user - before.system;
}

/** @throws Error where a table of the server has another size: something was refused, or is left */
export async function expectSize(server, name, expected) {
  const { sizes } = await server.ask('sizes');
  if (sizes[name] !== expected) throw new Error(`${sizes[name]} ${name} on the server, not ${expected}`);
}

// What the load says to each server.
import { frame } from './load.mjs';

/** Ids from here on have the same number of digits for as long as any run takes. */
const FIRST_ID = 100_000_000;
/** Requests that one write holds at most. */
const MOST = 64;

const REQUEST = { text: 'hello' };

/**
 * Of a server: `path` of the upgrade; frames that come `unasked` behind it; the `greeting` that is answered by one more;
 * `join`, answered as well, where the server has no room that everybody is in.
 */
const PLAIN = {
  path: '/ws',
  unasked: 0,
  requestOf: (event, id) => JSON.stringify({ event, data: REQUEST, id }),
};

const CHANNELS = {
  ...PLAIN,
  join: JSON.stringify({ event: '$subscribe', id: 1, data: { channel: 'room:1' } }),
};

const SOCKET_IO = {
  path: '/ws/?EIO=4&transport=websocket',
  unasked: 1,
  greeting: '40',
  requestOf: (event, id) => `42${id}${JSON.stringify([event, REQUEST])}`,
};

const DIALECTS = {
  channels: CHANNELS,
  observed: CHANNELS,
  'socket-io': SOCKET_IO,
  'platform-socket-io': SOCKET_IO,
};

export const dialectOf = (file) => DIALECTS[file] ?? PLAIN;

/** Requests for one event, each with an id of its own. Made by copying, so that they cost less than their answers. */
export class Requests {
  #tiled;
  #length;
  #digitsEnd;
  #next = FIRST_ID;

  constructor({ requestOf }, event) {
    const one = frame(requestOf(event, FIRST_ID));
    this.#length = one.length;
    this.#digitsEnd = one.indexOf(String(FIRST_ID)) + String(FIRST_ID).length - 1;
    this.#tiled = Buffer.concat(Array.from({ length: MOST }, () => one));
  }

  /** So many requests as one buffer. */
  take(count) {
    if (count > MOST) throw new RangeError(`${count} requests: at most ${MOST} fit`);
    const bytes = Buffer.allocUnsafe(count * this.#length);
    this.#tiled.copy(bytes, 0, 0, bytes.length);
    for (let end = this.#digitsEnd; end < bytes.length; end += this.#length) {
      for (let at = end, rest = this.#next++; rest > 0; rest = Math.floor(rest / 10)) {
        bytes[at--] = 0x30 + (rest % 10);
      }
    }
    return bytes;
  }
}

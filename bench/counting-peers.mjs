// Raw TCP clients that only count frames and bytes, so that the load side is never what is measured.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { deflatedFrame, frame } from './load.mjs';

/** Handshakes that are under way at the same time. */
const BATCH = 50;

/** All sockets are read into the same memory: nothing is allocated for a chunk, and none is kept. */
const SHARED = Buffer.allocUnsafe(65_536);

const PONG = frame('3');

/** Clients of one server, counted together. */
export class CountingPeers {
  /** Called for each chunk with which frames have come to their end: the peer, how many, and the chunk. */
  onFrames = () => {};
  bytes = 0;
  #peers = [];
  #isClosing = false;
  #break;
  /** Rejects where a server ends one of the connections. */
  #broken = new Promise((_resolve, reject) => (this.#break = reject));

  constructor() {
    this.#broken.catch(() => {});
  }

  get all() {
    return this.#peers;
  }

  /** Resolves when all of them have been greeted; with `extensions`, when all of them have got these, too. */
  async open({ port, dialect }, count, extensions) {
    const openOne = async () => {
      const peer = new Peer(this, dialect, extensions);
      this.#peers.push(peer);
      await peer.open(port);
    };
    for (let left = count; left > 0; left -= BATCH) {
      await this.until(Promise.all(Array.from({ length: Math.min(BATCH, left) }, openOne)));
    }
    return this;
  }

  /** Counts anew. */
  reset() {
    this.bytes = 0;
    for (const peer of this.#peers) peer.frames = 0;
  }

  /** Sends the same to all, and resolves when each has got so many frames for it; `isDeflated` as a browser does it. */
  async askAll(text, { answers = 1, isDeflated = false } = {}) {
    const bytes = isDeflated ? deflatedFrame(text) : frame(text);
    await this.until(Promise.all(this.#peers.map((peer) => peer.ask(bytes, answers))));
  }

  /** What has been promised, unless a connection is lost before. */
  until(promise) {
    return Promise.race([promise, this.#broken]);
  }

  lost(error) {
    if (!this.#isClosing) this.#break(error);
  }

  async close() {
    this.#isClosing = true;
    await Promise.all(this.#peers.map((peer) => peer.close()));
  }
}

class Peer {
  #peers;
  #dialect;
  #extensions;
  #socket;
  #isUpgraded = false;
  /** Bytes of the frame that has begun that are still to come. */
  #left = 0;
  /** The beginning of a frame that cannot be told yet. */
  #rest;
  #awaited = 0;
  #answered;

  constructor(peers, dialect, extensions) {
    this.#peers = peers;
    this.#dialect = dialect;
    this.#extensions = extensions;
  }

  /** Frames that have come to their end. */
  frames = 0;

  async open(port) {
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: SHARED, callback: (count) => this.#read(SHARED.subarray(0, count)) },
    });
    this.#socket.on('error', (error) => this.#peers.lost(error));
    this.#socket.on('close', () => this.#peers.lost(new Error('the server has closed a connection')));
    this.#socket.on('end', () => this.#peers.lost(new Error('the server has ended a connection')));
    // A server that speaks first may do so in the packet of its upgrade.
    const upgrade = this.#expect(1 + this.#dialect.unasked);
    this.#socket.write(
      `GET ${this.#dialect.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\n` +
        (this.#extensions ? `Sec-WebSocket-Extensions: ${this.#extensions}\r\n` : '') +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    await upgrade;
    if (this.#dialect.greeting) await this.ask(frame(this.#dialect.greeting), 1);
  }

  write(bytes) {
    this.#socket.write(bytes);
  }

  ask(bytes, answers) {
    const answered = this.#expect(answers);
    this.write(bytes);
    return answered;
  }

  async close() {
    if (this.#socket.closed) return;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    // A reset leaves no port in TIME_WAIT for the next round.
    this.#socket.resetAndDestroy();
    await closed;
  }

  #expect(answers) {
    this.#awaited += answers;
    return new Promise((resolve) => (this.#answered = resolve));
  }

  #answer(count) {
    this.#awaited -= count;
    if (this.#awaited > 0) return;
    this.#awaited = 0;
    this.#answered();
  }

  #read(chunk) {
    const bytes = this.#isUpgraded ? chunk : this.#upgrade(chunk);
    if (bytes.length === 0) return;
    this.#peers.bytes += bytes.length;
    const frames = this.#count(this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes);
    if (frames === 0) return;
    if (this.#awaited > 0) this.#answer(frames);
    this.#peers.onFrames(this, frames, bytes);
    this.frames += frames;
  }

  /** @returns what has come behind the head */
  #upgrade(chunk) {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    const end = bytes.indexOf('\r\n\r\n') + 4;
    if (end < 4) {
      this.#rest = Buffer.from(bytes);
      return Buffer.alloc(0);
    }
    this.#rest = undefined;
    const head = bytes.toString('latin1', 0, end);
    if (!head.includes(' 101 ')) this.#peers.lost(new Error(head));
    if (this.#extensions && !/sec-websocket-extensions: permessage-deflate/i.test(head)) {
      this.#peers.lost(new Error('the server does not compress'));
    }
    this.#isUpgraded = true;
    this.#answer(1);
    return bytes.subarray(end);
  }

  /** Walks from head to head; what stands between them is not looked at. */
  #count(bytes) {
    let at = this.#left;
    if (at > bytes.length) {
      this.#left -= bytes.length;
      return 0;
    }
    let frames = at > 0 ? 1 : 0;
    this.#left = 0;
    this.#rest = undefined;
    while (at < bytes.length) {
      const start = at + headLength(bytes, at);
      const end = start + payloadLength(bytes, at);
      const isWhole = end <= bytes.length;
      const isControl = (bytes[at] & 0x8) > 0 || end - start === 1;
      if (isControl && isWhole) this.#control(bytes, { at, start, end });
      else if (isWhole) frames++;
      else if (start > bytes.length || isControl) {
        this.#rest = Buffer.from(bytes.subarray(at));
        break;
      } else {
        this.#left = end - bytes.length;
        break;
      }
      at = end;
    }
    return frames;
  }

  /** Pings of both kinds: those of WebSocket, and the messages of Engine.IO that are one digit. */
  #control(bytes, { at, start, end }) {
    const opcode = bytes[at] & 0xf;
    if (opcode === 0x8) {
      const code = end - start < 2 ? 'no code' : bytes.readUInt16BE(start);
      this.#peers.lost(new Error(`the server has closed a connection with ${code}`));
    }
    if (opcode === 0x1) this.write(PONG);
    if (opcode === 0x9) {
      const head = Buffer.from([0x8a, 0x80 | (end - start), 0, 0, 0, 0]);
      this.write(Buffer.concat([head, bytes.subarray(start, end)]));
    }
  }
}

function headLength(bytes, at) {
  const short = bytes[at + 1] & 0x7f;
  if (short < 126) return 2;
  return short === 126 ? 4 : 10;
}

/** Not a number where the head is not there yet. */
function payloadLength(bytes, at) {
  const short = bytes[at + 1] & 0x7f;
  if (short < 126) return at + 2 <= bytes.length ? short : Number.NaN;
  if (short === 126) return at + 4 <= bytes.length ? bytes.readUInt16BE(at + 2) : Number.NaN;
  return at + 10 <= bytes.length ? Number(bytes.readBigUInt64BE(at + 2)) : Number.NaN;
}

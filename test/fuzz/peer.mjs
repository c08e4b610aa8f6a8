import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { isComplete, isDocumented, judge, wanted } from './judge.mjs';
import { UPGRADE } from './sockets.mjs';

/** How long an answer may take on a busy machine: whatever has none by then has none. */
const ANSWER_MS = 10_000;

/** A connection that speaks WebSocket rightly, and nothing else. */
export class Peer {
  #ws;
  #frames = [];
  #code;
  #news = withResolvers();
  #badFrames = 0;
  #asked = 0;

  static async open(port, ours) {
    const peer = new Peer();
    peer.ours = ours;
    peer.#ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, ours ? ['nestjs-channels.v1.json'] : []);
    peer.#ws.on('message', (data) => peer.#tell(() => peer.#frames.push(JSON.parse(String(data)))));
    peer.#ws.on('close', (code) => peer.#tell(() => (peer.#code = code)));
    peer.#ws.on('error', () => undefined);
    await Promise.race([once(peer.#ws, 'open'), once(peer.#ws, 'close')]);
    return peer;
  }

  get isOpen() {
    return this.#code === undefined && this.#ws.readyState === WebSocket.OPEN;
  }

  /** Sends a message, and says what is wrong with what follows, and how it was answered. */
  async send(message, codes) {
    const want = wanted(message);
    this.#frames = [];
    if (want.code === 'bad_frame') this.#badFrames += 1;
    this.#ws.send(message, { binary: typeof message !== 'string' });
    const facts = await this.#facts(want);
    const [frames, code] = [this.#frames.filter(({ ack }) => !String(ack).startsWith('facts-')), this.#code];
    if (!facts && code === undefined)
      return { violation: `no answer within ${ANSWER_MS} ms`, outcome: 'none' };
    if (facts?.polluted) return { violation: 'Object.prototype has a member more', outcome: 'polluted' };
    const seen = { frames, code, faults: facts?.faults ?? [], ours: this.ours, badFrames: this.#badFrames };
    return { violation: judge(want, seen, codes), outcome: outcomeOf(seen) };
  }

  end() {
    this.#ws.terminate();
  }

  /** What was counted, once everything is there that has to be. Nothing where the connection ends. */
  async #facts(want) {
    const until = Date.now() + ANSWER_MS;
    while (Date.now() < until && this.#code === undefined) {
      const id = `facts-${(this.#asked += 1)}`;
      this.#ws.send(JSON.stringify({ event: 'facts', id }));
      const answered = () => this.#frames.find(({ ack }) => ack === id);
      const isDone = () => answered() && isComplete(want, { frames: this.#frames, code: this.#code });
      while (!isDone() && this.#code === undefined && Date.now() < until) await this.#wait();
      const { data, error } = answered() ?? {};
      if (error) await delay(error.retryAfterMs ?? 100);
      else if (data && isDone()) return data;
    }
    return undefined;
  }

  #tell(change) {
    change();
    const news = this.#news;
    this.#news = withResolvers();
    news.resolve();
  }

  #wait() {
    return Promise.race([this.#news.promise, delay(1_000, undefined, { ref: false })]);
  }
}

/** Writes bytes behind an upgrade, and says what is wrong with what the connection ends with. */
export async function sendBroken(port, { bytes, codes, mayEnd = false }, errorCodes) {
  const socket = new RawPeer(port);
  try {
    socket.write(UPGRADE.join('\r\n') + '\r\n\r\n');
    await socket.until(() => socket.frames !== undefined);
    socket.write(bytes);
    // A server may wait for the rest of a frame as long as the peer is there.
    if (mayEnd) socket.finish();
    await socket.until(() => socket.closeCode !== undefined);
    const stranger = socket.texts.find((text) => !isDocumented(text, errorCodes));
    if (stranger) return { violation: `undocumented: ${JSON.stringify(stranger)}`, outcome: 'unknown' };
    const code = socket.closeCode;
    const isRight = codes.includes(code) || (mayEnd && code === undefined && socket.hasEnded);
    const violation = isRight ? undefined : `ended with ${code}, not with ${codes.join(' or ')}`;
    return { violation, outcome: `closed ${code ?? 'without a code'}` };
  } finally {
    socket.end();
  }
}

/** Statuses of docs/protocol.md, section 2.7, and those by which Node itself refuses a request. */
const STATUSES = new Set([101, 400, 403, 404, 405, 408, 413, 414, 426, 431, 501, 505]);

/** Writes a request, and says what is wrong with the answer. */
export async function sendRequest(port, bytes) {
  const socket = new RawPeer(port);
  try {
    socket.write(bytes);
    socket.finish();
    await socket.until(() => socket.status !== undefined);
    const { status, hasEnded } = socket;
    if (status === undefined) {
      const mayEnd = hasEnded && !isWhole(bytes);
      return { violation: mayEnd ? undefined : 'no answer', outcome: 'cut off' };
    }
    return { violation: STATUSES.has(status) ? undefined : `status ${status}`, outcome: `status ${status}` };
  } finally {
    socket.end();
  }
}

/** Whether an answer is due: the head has an end. Node ends whoever says CONNECT without a word. */
function isWhole(bytes) {
  return bytes.includes('\r\n\r\n') && !bytes.toString('latin1', 0, 8).startsWith('CONNECT ');
}

/** A connection that writes what it is told to, and reads what comes. */
export class RawPeer {
  hasEnded = false;
  #socket;
  #bytes = Buffer.alloc(0);
  #parsed;
  #news = withResolvers();

  constructor(port) {
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk) => this.#tell(() => (this.#bytes = Buffer.concat([this.#bytes, chunk]))));
    for (const event of ['end', 'close']) {
      this.#socket.on(event, () => this.#tell(() => (this.hasEnded = true)));
    }
  }

  get status() {
    const match = /^HTTP\/1\.1 (\d{3})/.exec(this.#bytes.subarray(0, 20).toString('latin1'));
    return match ? Number(match[1]) : undefined;
  }

  /** What has come behind the head of the response. */
  get frames() {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    if (this.#parsed?.length === this.#bytes.length) return this.#parsed.frames;
    const frames = [];
    for (let at = end + 4; at + 2 <= this.#bytes.length;) {
      const short = this.#bytes[at + 1];
      const size = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + size > this.#bytes.length) break;
      const length = size === 2 ? short : size === 4 ? this.#bytes.readUInt16BE(at + 2) : 0;
      if (at + size + length > this.#bytes.length) break;
      frames.push({
        opcode: this.#bytes[at] & 15,
        payload: this.#bytes.subarray(at + size, at + size + length),
      });
      at += size + length;
    }
    this.#parsed = { length: this.#bytes.length, frames };
    return frames;
  }

  get texts() {
    return (this.frames ?? [])
      .filter(({ opcode }) => opcode === 1)
      .map(({ payload }) => JSON.parse(String(payload)));
  }

  get closeCode() {
    const close = this.frames?.find(({ opcode }) => opcode === 8);
    return close && (close.payload.length >= 2 ? close.payload.readUInt16BE() : 1005);
  }

  /** Whether it may go on at once: the other side still reads. */
  write(bytes) {
    return this.#socket.write(bytes);
  }

  /** Resolves when what was written has left, or the connection has ended. */
  async drained() {
    if (this.hasEnded || !this.#socket.writableNeedDrain) return;
    await new Promise((resolve) => this.#socket.once('drain', resolve).once('close', resolve));
  }

  /** Nothing more will be said: what is half done is not to be waited for. */
  finish() {
    this.#socket.end();
  }

  end() {
    this.#socket.destroy();
  }

  #tell(change) {
    change();
    const news = this.#news;
    this.#news = withResolvers();
    news.resolve();
  }

  /** Resolves when it fits, when the other side has ended, or when it has taken too long. */
  async until(fits) {
    const until = Date.now() + ANSWER_MS;
    while (!fits() && !this.hasEnded && Date.now() < until) {
      await Promise.race([this.#news.promise, delay(1_000, undefined, { ref: false })]);
    }
  }
}

function outcomeOf({ frames, code, faults }) {
  if (code !== undefined) return `closed ${code}`;
  const first = frames.find(({ event }) => !event?.startsWith('$') || event === '$pong');
  if (!first) return `silence, counted ${faults.join() || 'nothing'}`;
  if (first.ack !== undefined) return first.error ? `ack ${first.error.code}` : 'ack';
  return first.event === 'exception' ? `exception ${first.data.code ?? 'of Nest'}` : 'an answer';
}

/** Node 20 has no `Promise.withResolvers`. */
function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}

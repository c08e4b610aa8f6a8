import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Opcodes of RFC 6455, section 5.2. */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

const MASK = [0x11, 0x22, 0x33, 0x44] as const;
const END_OF_HEAD = '\r\n\r\n';

export interface ClientFrameOptions {
  readonly opcode?: number;
  /** `false` for a fragment that is not the last one. */
  readonly fin?: boolean;
}

/** What a server has sent: the HTTP response, and the WebSocket frames behind it. */
export interface RawResponse {
  readonly head: string;
  readonly frames: readonly RawFrame[];
}

export interface RawFrame {
  readonly opcode: number;
  /** As it came. */
  readonly payload: Buffer;
  /** Whether the payload is compressed: RFC 7692, section 6. */
  readonly isDeflated: boolean;
}

/** A TCP client that writes what it is told to, in exactly the packets that it is told to. */
export class RawSocket {
  /** Resolves when the server has ended the connection. */
  readonly closed: Promise<unknown>;
  #bytes = Buffer.alloc(0);

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => (this.#bytes = Buffer.concat([this.#bytes, chunk])));
    this.closed = once(socket, 'close');
  }

  /** Connects; the socket is destroyed with the test. */
  static async connect(port: number): Promise<RawSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return new RawSocket(socket);
  }

  get response(): RawResponse {
    return parseResponse(this.#bytes);
  }

  /** The JSON of every text frame that has arrived. */
  get messages(): unknown[] {
    const texts = this.response.frames.filter(({ opcode }) => opcode === Opcode.Text);
    return texts.map(({ payload }) => JSON.parse(payload.toString()) as unknown);
  }

  /** The code of the close frame that has arrived. */
  get closeCode(): number | undefined {
    return this.response.frames.find(({ opcode }) => opcode === Opcode.Close)?.payload.readUInt16BE();
  }

  write(...parts: readonly (Uint8Array | string)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  }

  /** Writes the same bytes over and over, as fast as they are taken, until the connection has ended. */
  async flood(bytes: Uint8Array): Promise<void> {
    // A reset rejects it, and is an end as well.
    const closed = this.closed.catch(() => undefined);
    while (!this.socket.destroyed) {
      const isTaken = this.socket.write(bytes);
      const next = isTaken ? new Promise((resolve) => setImmediate(resolve)) : once(this.socket, 'drain');
      // The end rejects what waits for a drain.
      await Promise.race([next.catch(() => undefined), closed]);
    }
    await closed;
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Resolves when what has arrived fits; rejects when the connection ends before. */
  async until(fits: () => boolean): Promise<void> {
    while (!fits()) {
      const ended = await Promise.race([
        once(this.socket, 'data').then(() => false),
        this.closed.then(() => true),
      ]);
      if (ended && !fits())
        throw new Error(`The connection ended with ${JSON.stringify(String(this.#bytes))}`);
    }
  }
}

/** The request of an upgrade, as a browser words it. */
export function upgradeRequest(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`GET ${path} HTTP/1.1`, ...lines].join('\r\n') + END_OF_HEAD;
}

/** The bytes of one masked frame. */
export function clientFrame(payload: Uint8Array | string, options: ClientFrameOptions = {}): Buffer {
  const { opcode = Opcode.Text, fin = true } = options;
  const bytes = Buffer.from(payload);
  const masked = bytes.map((byte, at) => byte ^ (MASK[at % MASK.length] ?? 0));
  return Buffer.concat([header((fin ? 0x80 : 0) | opcode, bytes.length), Buffer.from(MASK), masked]);
}

function header(first: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, 0x80 | length]);
  if (length < 0x10000) return Buffer.from([first, 0x80 | 126, length >> 8, length & 0xff]);
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16BE((first << 8) | 0x80 | 127);
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

function parseResponse(bytes: Buffer): RawResponse {
  const end = bytes.indexOf(END_OF_HEAD);
  if (end === -1) return { head: bytes.toString(), frames: [] };
  const frames = [];
  let rest = bytes.subarray(end + END_OF_HEAD.length);
  for (let frame = parseFrame(rest); frame; frame = parseFrame(rest)) {
    frames.push(frame);
    rest = rest.subarray(frame.length);
  }
  return { head: bytes.subarray(0, end).toString(), frames };
}

/** A frame of a server: unmasked, and in this protocol never in fragments. */
export function parseFrame(bytes: Buffer): (RawFrame & { readonly length: number }) | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1);
  const size = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < size) return undefined;
  const length = size === 2 ? short : size === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < size + length) return undefined;
  const payload = bytes.subarray(size, size + length);
  const first = bytes.readUInt8(0);
  return { opcode: first & 0x0f, isDeflated: (first & 0x40) !== 0, payload, length: size + length };
}

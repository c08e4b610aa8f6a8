import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { clientFrame, Opcode, parseFrame, upgradeRequest } from './raw-socket.js';

const END_OF_HEAD = '\r\n\r\n';

/** A client that reads as many bytes as it is told to and no more, and answers pings when it gets to them. */
export class SlowReader {
  readonly messages: string[] = [];
  #pings = 0;
  #unparsed = Buffer.alloc(0);

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<SlowReader> {
    const socket = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    socket.write(upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': 'nestjs-channels.v1.json' }));
    const reader = new SlowReader(socket);
    let head = '';
    while (!head.endsWith(END_OF_HEAD)) head += String(await reader.#take(1));
    return reader;
  }

  /** Says frames, as text. */
  say(...texts: readonly string[]): void {
    for (const text of texts) this.socket.write(clientFrame(text));
  }

  /** Reads exactly so many bytes. Rejects where the connection ends before. */
  async read(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      const chunk = await this.#take(left);
      left -= chunk.length;
      this.#parse(chunk);
    }
  }

  /** Reads all that comes from now on, and resolves when a ping has come and been answered. */
  async readOn(): Promise<void> {
    this.socket.on('data', (chunk) => this.#parse(chunk));
    while (this.#pings === 0) await once(this.socket, 'data');
  }

  async #take(most: number): Promise<Buffer> {
    const { socket } = this;
    while (socket.readableLength === 0) {
      if (socket.closed || socket.readableEnded) throw new Error('the connection has ended');
      await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
    }
    return socket.read(Math.min(most, socket.readableLength)) as Buffer;
  }

  #parse(chunk: Buffer): void {
    this.#unparsed = Buffer.concat([this.#unparsed, chunk]);
    for (let frame = parseFrame(this.#unparsed); frame; frame = parseFrame(this.#unparsed)) {
      this.#unparsed = this.#unparsed.subarray(frame.length);
      if (frame.opcode === Opcode.Text) this.messages.push(String(frame.payload));
      if (frame.opcode === Opcode.Ping) this.#pong(frame.payload);
    }
  }

  #pong(payload: Buffer): void {
    this.#pings += 1;
    this.socket.write(clientFrame(payload, { opcode: Opcode.Pong }));
  }
}

import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { ChannelSocket, RequestOptions } from '../../core/channel-socket.js';
import type { Connection } from '../../core/connection.js';
import type { EncodedFrame } from '../../core/encoded-frame.js';
import { PONG_BYTES } from '../../core/outbox.js';
import type { Transport } from '../../core/transport.interface.js';
import {
  CLOSE_CODES,
  EXCEPTION_EVENT,
  REFUSED_CLOSE_TIMEOUT_MS,
  type ErrorCode,
} from '../../protocol/index.js';
import { framedText, joinedTexts, WIRE_ENCODING, type WireBytes } from './frame.js';
import { deflatedText } from './shared-deflate.js';

/** The header of a frame of up to 125 bytes, RFC 6455 section 5.2. */
const CONTROL_BYTES = 2;

const NO_PARAMS: Readonly<Record<string, string>> = {};

/**
 * What a socket does with frames that are long enough, where the peer takes them compressed: `ws` compresses them for
 * it alone, all get the same one, or they go as they are, though others get them compressed.
 */
export type Compression = 'own' | 'shared' | 'none';

/** A byte counter that TCP and TLS sockets have, and other duplex streams have not. */
type CountingSocket = Duplex & { readonly bytesRead?: number };

/** One WebSocket: the transport of its connection, and the client that gateways get. */
export class WsChannelSocket extends WebSocket implements Transport, ChannelSocket {
  // Not read by the engine, and free to be written: gateways of the stock adapter keep a user or an
  // id of their own under these names.
  id = '';
  user: unknown;
  principal = '';
  params: Readonly<Record<string, string>> = NO_PARAMS;
  data: unknown;

  #connection?: Connection;
  #socket?: CountingSocket;
  #compression: Compression = 'none';
  #bytesWritten = 0;
  /** Pongs that were written since everything was taken. */
  #pongs = 0;

  /**
   * Called once, right after the upgrade, with the socket that was upgraded.
   *
   * @param compression - how, where the peer and `ws` have agreed on it
   */
  attach(connection: Connection, socket: Duplex, compression: Compression = 'own'): void {
    const { principal, user, params } = connection.info;
    this.id = connection.id;
    this.principal = principal;
    this.user = user;
    this.params = params;
    this.#connection = connection;
    this.#socket = socket;
    this.#compression = this.extensions === '' ? 'none' : compression;
    super.on('message', WsChannelSocket.#onMessage);
    super.on('ping', WsChannelSocket.#onPing);
    super.on('pong', WsChannelSocket.#onPong);
    super.on('close', WsChannelSocket.#onClose);
    super.on('error', WsChannelSocket.#onError);
  }

  get channels(): readonly string[] {
    return [...this.#attached.subscriptions.channels()];
  }

  /** Keeps what an application has of its own under this name. */
  set channels(value: readonly string[]) {
    Object.defineProperty(this, 'channels', { value, writable: true, enumerable: true, configurable: true });
  }

  get #attached(): Connection {
    if (!this.#connection) throw new Error('the socket has not been attached to a connection');
    return this.#connection;
  }

  /** A listener of the application that throws must not end the process, nor break the parser that calls it. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    try {
      return super.emit(event, ...args);
    } catch (error) {
      const { observers } = this.#attached.engine;
      observers.failed({ where: `a "${String(event)}" listener`, error });
      return true;
    }
  }

  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  /** What was handed over: to count it, Node would walk through all that the peer has not taken. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get isShared(): boolean {
    return this.listenerCount('message') > 1;
  }

  push(event: string, data?: unknown): void {
    this.#attached.sendEvent(event, data);
  }

  request<T = unknown>(event: string, data?: unknown, options?: RequestOptions): Promise<T> {
    // The peer may answer anything; that it is a `T` is what the caller says.
    return this.#attached.request(event, data, options) as Promise<T>;
  }

  subscribe(channel: string): Promise<void> {
    return this.#attached.subscriptions.join(channel);
  }

  unsubscribe(channel: string, { code, reason }: { code?: ErrorCode; reason?: string } = {}): Promise<void> {
    return this.#attached.subscriptions.leave(channel, code, reason);
  }

  /** As `ws` has it, behind what was pushed before. Counts against `maxOutboxBytes`. */
  override send(...args: unknown[]): void {
    const connection = this.#connection;
    connection?.outbox.flush();
    const waiting = this.bufferedAmount;
    const isShared = connection?.endpoint.deflatesFrom !== undefined;
    this.#bytesWritten += sizeOf(args[0]);
    (super.send as (...sent: unknown[]) => void).apply(this, isShared ? uncompressed(args) : args);
    if (connection && waiting > 0) connection.outbox.judge();
  }

  /** Of `ws`, for each ping of the peer: who pings and does not read is not written to without end. */
  override pong(...args: unknown[]): void {
    this.#pongs = this.bufferedAmount === 0 ? 0 : this.#pongs + 1;
    this.#bytesWritten += sizeOf(args[0]);
    (super.pong as (...sent: unknown[]) => void).apply(this, args);
    const connection = this.#connection;
    if (connection?.writable && this.#pongs * PONG_BYTES > connection.maxOutboxBytes) connection.overflow();
    else if (this.#pongs > 0) connection?.outbox.judge();
  }

  /** Called by the application, and by `ws` itself to answer a peer's close or to report a broken frame. */
  override close(code?: number, reason?: string | Buffer): void {
    const connection = this.#connection;
    if (connection?.writable) connection.close(code ?? CLOSE_CODES.NoStatus.code, reason?.toString() ?? '');
    else super.close(code, reason);
  }

  write(frames: readonly EncodedFrame[]): void {
    const socket = this.#socket;
    if (!socket || this.readyState !== WebSocket.OPEN) return;
    if (this.#compression !== 'none' && this.#writeCompressed(socket, frames)) return;
    const whole = frames.length === 1 ? framedText(frames[0] as EncodedFrame) : joinedTexts(frames);
    if (whole !== undefined) {
      this.#write(socket, whole);
      return;
    }
    socket.cork();
    for (const frame of frames) this.#write(socket, framedText(frame));
    socket.uncork();
  }

  #write(socket: CountingSocket, bytes: WireBytes): void {
    this.#bytesWritten += bytes.length;
    // What has to wait waits outside of the heap of V8, which has an end of its own.
    const waits = typeof bytes === 'string' && socket.writableLength > 0;
    socket.write(waits ? Buffer.from(bytes, WIRE_ENCODING) : bytes, WIRE_ENCODING);
  }

  /** `false` where there is nothing to compress. */
  #writeCompressed(socket: CountingSocket, frames: readonly EncodedFrame[]): boolean {
    if (this.#compression === 'own') {
      // Frames of ours must not overtake those that ws is still compressing.
      for (const frame of frames) this.#sendText(frame);
      return true;
    }
    const { deflatesFrom = Infinity } = this.#attached.endpoint;
    if (frames.every(({ byteLength }) => byteLength < deflatesFrom)) return false;
    const parts = frames.map((frame) => (frame.byteLength < deflatesFrom ? framedText : deflatedText)(frame));
    socket.cork();
    for (const bytes of parts) this.#write(socket, bytes);
    socket.uncork();
    return true;
  }

  #sendText(frame: EncodedFrame): void {
    this.#bytesWritten += frame.byteLength;
    super.send(frame.text);
  }

  renewed(user: unknown, before: unknown): void {
    if (this.user === before) this.user = user;
  }

  probe(): void {
    if (this.readyState !== WebSocket.OPEN) return;
    this.#bytesWritten += CONTROL_BYTES;
    this.ping();
  }

  end(code: number, reason: string): void {
    if (code === CLOSE_CODES.NoStatus.code) super.close();
    else super.close(code, reason);
  }

  expel(code: number, reason: string): void {
    super.close(code, reason);
    // Unread, what it still sends costs nothing. To end it now might take the close frame from it, too.
    this.pause();
    this.#attached.engine.clock.setTimeout(() => this.terminate(), REFUSED_CLOSE_TIMEOUT_MS);
  }

  destroy(): void {
    this.terminate();
  }

  protected tellException(exception: unknown): void {
    const connection = this.#attached;
    try {
      connection.sendEvent(EXCEPTION_EVENT, exception);
    } catch (error) {
      // It has no JSON.
      connection.engine.observers.failed({ where: 'an exception', error });
    }
  }

  /** A listener of the application that waits for messages in `handleConnection` gets them: it may wait for one. */
  override on(event: string | symbol, listener: (...args: never[]) => void): this {
    super.on(event, listener as (...args: unknown[]) => void);
    if (event === 'message' && this.#connection?.state === 'opening') this.resume();
    return this;
  }

  override addListener(event: string | symbol, listener: (...args: never[]) => void): this {
    return this.on(event, listener);
  }

  // Shared by all sockets: a closure each would be paid for by every idle connection.

  static #onMessage(this: WebSocket, message: Buffer, isBinary: boolean): void {
    const socket = this as WsChannelSocket;
    const isFull = socket.#attached.receive(isBinary ? message : message.toString(), message.length);
    if (isFull) socket.pause();
  }

  /** By itself ws would end a peer for 60 pings that come in one packet, and nobody would learn why. */
  static #onPing(this: WebSocket, data: Buffer): void {
    const socket = this as WsChannelSocket;
    const connection = socket.#attached;
    if (!connection.receiveControl(data.length) || !connection.endpoint.answersPings) return;
    if (socket.bufferedAmount > connection.maxOutboxBytes) connection.overflow();
    else socket.pong(data);
  }

  static #onPong(this: WebSocket, data: Buffer): void {
    (this as WsChannelSocket).#attached.receiveControl(data.length);
  }

  static #onClose(this: WebSocket, code: number, reason: Buffer): void {
    (this as WsChannelSocket).#attached.closed(code, reason.toString());
  }

  /** The close that follows tells the code; without a listener the process would end here. */
  static #onError(this: WebSocket): void {
    const connection = (this as WsChannelSocket).#attached;
    connection.engine.observers.faulted(connection, 'broken_frame');
  }
}

/** The arguments of `send` with which `ws` compresses nothing: it would keep some 200 KiB for each connection. */
function uncompressed([data, options, done]: readonly unknown[]): unknown[] {
  if (typeof options === 'function') return [data, { compress: false }, options];
  return [data, { ...(options as object | undefined), compress: false }, done];
}

/** Of what `ws` is handed to send, with the smallest header that there is. */
function sizeOf(data: unknown): number {
  if (typeof data === 'string') return CONTROL_BYTES + Buffer.byteLength(data);
  const { byteLength = 0 } = Object(data) as { readonly byteLength?: number };
  return CONTROL_BYTES + byteLength;
}

import type { WebSocketLike } from '../../lib/client/web-socket.interface.js';
import type { Connection } from '../../lib/core/connection.js';
import type { EncodedFrame } from '../../lib/core/encoded-frame.js';
import type { Transport } from '../../lib/core/transport.interface.js';
import type { Node } from './node.js';
import type { OwnClock } from './time.js';
import { Wire } from './wire.js';

type Handler<Event> = ((event: Event) => void) | null;

/** A server waits so long for the answer to its close. */
const CLOSE_TIMEOUT_MS = 5_000;

/** How a connection is lost: which side learns of it first, and what is under way arrives until the other does. */
export type Cut = 'both' | 'client first' | 'server first';

/** What becomes of the next publication frame on its way to a client. */
export type FrameFate = 'lost' | 'twice';

/** The network between one client and one node, as TCP: whole, in order, or not at all. */
export class Line implements Transport {
  readonly socket: SimSocket;
  readonly wire: Wire;
  readonly isShared = false;
  bufferedAmount = 0;
  bytesRead = 0;
  bytesWritten = 0;
  connection: Connection | undefined;
  nextFrame: FrameFate | undefined;
  /** How long a frame is under way. */
  latencyMs: number;
  #towardsClient = true;
  #towardsServer = true;
  #clientAt = 0;
  #serverAt = 0;
  #isOver = false;

  constructor(
    readonly node: Node,
    readonly principal: string,
    private readonly clock: OwnClock,
    latencyMs: number,
  ) {
    this.latencyMs = latencyMs;
    this.socket = new SimSocket(this);
    this.wire = new Wire(this);
    clock.setTimeout(() => this.#open(), latencyMs);
  }

  /** The server still believes in it. */
  get isKnown(): boolean {
    return this.connection !== undefined && this.connection.state !== 'closed';
  }

  /** Whether the server has the client in a channel. */
  isIn(channel: string): boolean {
    return this.isKnown && this.node.isUp && this.connection?.subscriptions.has(channel) === true;
  }

  renewed(): void {}

  // The side of the client

  send(text: string): void {
    this.node.world.wrote(this, text);
    this.toServer(text);
  }

  /** Text of a client, or of somebody who repeats it. */
  toServer(text: string): void {
    this.#serverAt = Math.max(this.#serverAt, this.clock.now() + this.latencyMs);
    this.clock.setTimeout(() => {
      if (!this.#towardsServer || !this.node.isUp || !this.connection) return;
      this.bytesRead += text.length;
      this.wire.read(text);
      this.connection.receive(text);
    }, this.#serverAt - this.clock.now());
  }

  hangUp(code: number): void {
    this.clock.setTimeout(() => {
      if (this.#towardsServer) this.#endServer(code);
    }, this.latencyMs);
  }

  // The side of the server

  write(frames: readonly EncodedFrame[]): void {
    let bytes = 0;
    const texts: string[] = [];
    for (const { text, byteLength } of frames) {
      bytes += byteLength;
      this.wire.written(text);
      // Nobody finds the loss of one that has no offset.
      const isNumbered = text.startsWith('{"channel"') && text.includes('"offset":');
      const fate = isNumbered ? this.nextFrame : undefined;
      if (isNumbered) this.nextFrame = undefined;
      if (fate !== 'lost') texts.push(text);
      else this.node.world.lostFrame(this, text);
      if (fate === 'twice') texts.push(text);
    }
    this.bytesWritten += bytes;
    this.bufferedAmount += bytes;
    this.#clientAt = Math.max(this.#clientAt, this.clock.now() + this.latencyMs);
    this.clock.setTimeout(() => {
      // What is not read stays.
      if (!this.#towardsClient) return;
      this.bufferedAmount -= bytes;
      for (const text of texts) this.socket.receive(text);
    }, this.#clientAt - this.clock.now());
  }

  probe(): void {
    this.bytesWritten += 2;
    this.clock.setTimeout(() => {
      if (this.#towardsClient && this.#towardsServer) this.bytesRead += 2;
    }, 2 * this.latencyMs);
  }

  end(code: number, reason: string): void {
    this.#clientAt = Math.max(this.#clientAt, this.clock.now() + this.latencyMs);
    this.clock.setTimeout(() => this.#endClient(code, reason), this.#clientAt - this.clock.now());
    const isHeard = this.#towardsClient && this.#towardsServer;
    this.clock.setTimeout(() => this.#endServer(code), isHeard ? 2 * this.latencyMs : CLOSE_TIMEOUT_MS);
  }

  expel(code: number, reason: string): void {
    this.end(code, reason);
  }

  destroy(): void {
    this.clock.setTimeout(() => this.#endClient(1_006, ''), this.latencyMs);
    this.clock.setTimeout(() => this.#endServer(1_006), 1);
  }

  // The network itself

  cut(how: Cut, lagMs: number): void {
    if (how === 'client first') this.#towardsClient = false;
    if (how === 'server first') this.#towardsServer = false;
    if (how === 'both') this.darken();
    this.clock.setTimeout(() => this.#endClient(1_006, '', 'told'), how === 'server first' ? lagMs : 1);
    this.clock.setTimeout(() => this.#endServer(1_006), how === 'client first' ? lagMs : 1);
  }

  /** Half-open: nothing comes through any more, and nobody is told. */
  darken(): void {
    this.#towardsClient = this.#towardsServer = false;
  }

  #open(): void {
    const isRefused = !this.node.isUp || this.node.engine.draining;
    if (isRefused || this.socket.readyState !== 0 || !this.#towardsServer) {
      if (this.#towardsClient) this.socket.closed(1_006, '');
      return;
    }
    this.connection = this.node.accept(this);
    this.socket.opened();
  }

  #endClient(code: number, reason: string, told?: 'told'): void {
    if (told || this.#towardsClient) this.socket.closed(code, reason);
    this.#towardsClient = false;
  }

  #endServer(code: number): void {
    if (this.#isOver || !this.connection) return;
    this.#isOver = true;
    this.#towardsServer = false;
    if (this.node.isUp) this.connection.closed(code, '');
  }
}

/** The end of a {@link Line} that the client has. */
export class SimSocket implements WebSocketLike {
  onopen: Handler<object> = null;
  onmessage: Handler<{ data: unknown }> = null;
  onclose: Handler<{ code: number; reason: string }> = null;
  onerror: Handler<object> = null;
  readonly bufferedAmount = 0;
  #readyState = 0;

  constructor(readonly line: Line) {}

  get readyState(): number {
    return this.#readyState;
  }

  opened(): void {
    this.#readyState = 1;
    this.onopen?.({});
  }

  send(text: string): void {
    if (this.#readyState === 1) this.line.send(text);
  }

  receive(text: string): void {
    if (this.#readyState === 3 || !this.onmessage) return;
    this.line.wire.delivered(text);
    this.onmessage({ data: text });
  }

  close(code = 1_005): void {
    if (this.#readyState >= 2) return;
    this.#readyState = 2;
    this.line.hangUp(code);
  }

  closed(code: number, reason: string): void {
    if (this.#readyState === 3) return;
    this.#readyState = 3;
    this.onclose?.({ code, reason });
  }
}

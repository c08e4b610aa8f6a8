import type { ClientClock } from '../../lib/client/clock.interface.js';
import type { WebSocketLike } from '../../lib/client/web-socket.interface.js';

type Handler<Event> = ((event: Event) => void) | null;

/** What the two ends of a fake connection share. */
export interface Line {
  readonly clock: ClientClock;
  /** How long a frame, an open and a close take from one end to the other. */
  readonly latencyMs: number;
  /** Sees what an open socket is given to send, at that moment. */
  readonly onWrite?: (socket: FakeWebSocket, text: string) => void;
  /** Sees what a socket hands to its listener, just before. */
  readonly onDeliver?: (socket: FakeWebSocket, data: unknown) => void;
}

/** What a server does with a connection that a client asks for. */
export type Reception =
  | 'accept'
  /** Nobody listens: an error and 1006. */
  | 'refuse'
  /** Nobody answers. */
  | 'hang'
  /** Upgraded, and closed at once, as docs/protocol.md section 2.7 says. */
  | { readonly code: number; readonly reason?: string };

export interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/** The `WebSocket` of a page, without a network: test/contract/web-socket.contract.ts holds for it. */
export class FakeWebSocket implements WebSocketLike {
  onopen: Handler<object> = null;
  onmessage: Handler<{ data: unknown }> = null;
  onclose: Handler<CloseFrame> = null;
  onerror: Handler<object> = null;
  bufferedAmount = 0;
  readonly peer: FakePeer;
  #readyState = 0;
  /** Nothing gets through any more, and neither end is told. */
  #isDead = false;

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
    private readonly line: Line,
    reception: Reception,
  ) {
    this.peer = new FakePeer(this);
    if (reception === 'hang') return;
    this.#later(() => {
      if (reception === 'refuse' || this.#readyState !== 0) return this.#fail();
      this.#readyState = 1;
      this.onopen?.({});
      if (typeof reception === 'object') this.peer.close(reception.code, reception.reason);
      return undefined;
    });
  }

  get readyState(): number {
    return this.#readyState;
  }

  send(data: string): void {
    if (this.#readyState === 0) throw new Error('InvalidStateError: still connecting');
    if (this.#readyState !== 1) return;
    this.line.onWrite?.(this, data);
    this.#later(() => this.peer.receive(data));
  }

  close(code = 1005, reason = ''): void {
    if (this.#readyState >= 2) return;
    const wasConnecting = this.#readyState === 0;
    this.#readyState = 2;
    if (wasConnecting) this.#later(() => this.#fail());
    else this.#later(() => this.peer.leave({ code, reason }));
  }

  /** The server's end speaks. */
  deliver(data: unknown): void {
    this.#later(() => {
      if (!this.onmessage || this.#readyState === 3) return;
      this.line.onDeliver?.(this, data);
      this.onmessage({ data });
    });
  }

  /** The server's end is closed, and this one with it. */
  end(frame: CloseFrame): void {
    this.#later(() => this.#closed(frame));
  }

  /** The cable is out: both ends believe in the connection. */
  die(): void {
    this.#isDead = true;
  }

  #fail(): void {
    if (this.#readyState === 3) return;
    this.onerror?.({});
    this.#closed({ code: 1006, reason: '' });
  }

  #closed(frame: CloseFrame): void {
    if (this.#readyState === 3) return;
    this.#readyState = 3;
    this.onclose?.(frame);
  }

  #later(step: () => void): void {
    this.line.clock.setTimeout(() => {
      if (!this.#isDead) step();
    }, this.line.latencyMs);
  }
}

/** A frame of the client, as the server has read it. */
export interface Received {
  readonly event: string;
  readonly id?: string;
  readonly data?: any;
}

/** The client's answer to a request of the server. */
export interface Answered {
  readonly ack: unknown;
  readonly data?: unknown;
  readonly error?: unknown;
}

/** The server's end of one connection. */
export class FakePeer {
  readonly frames: Received[] = [];
  /** Kept apart from the frames, which ask or tell something. */
  readonly answers: Answered[] = [];
  /** Set by the server that has accepted it. */
  onFrame: ((frame: Received) => void) | undefined;
  #closedBy: CloseFrame | undefined;
  #isOver = false;

  constructor(readonly socket: FakeWebSocket) {}

  /** Bytes that the client has written and that have not left. */
  backlog(bytes: number): void {
    this.socket.bufferedAmount = bytes;
  }

  /** How the client has closed it, if it has. */
  get closedBy(): CloseFrame | undefined {
    return this.#closedBy;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get token(): string | undefined {
    const entry = this.protocols.find((protocol) => protocol.startsWith(BEARER));
    return entry === undefined
      ? undefined
      : Buffer.from(entry.slice(BEARER.length), 'base64url').toString('latin1');
  }

  get protocols(): readonly string[] {
    return this.socket.protocols;
  }

  /** The frames of one event. */
  of(event: string): Received[] {
    return this.frames.filter((frame) => frame.event === event);
  }

  /** The frames that are no commands. */
  get messages(): Received[] {
    return this.frames.filter(({ event }) => !event.startsWith('$'));
  }

  send(frame: object): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(data: unknown): void {
    if (!this.#isOver) this.socket.deliver(data);
  }

  close(code: number, reason = ''): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.socket.end({ code, reason });
  }

  /** The process died or the network said so: no close frame. */
  cut(): void {
    this.close(1006);
  }

  /** Half-open: nothing comes through any more, and nobody is told. */
  vanish(): void {
    this.#isOver = true;
    this.socket.die();
  }

  receive(text: string): void {
    if (this.#isOver) return;
    const frame = JSON.parse(text) as Received | Answered;
    if ('ack' in frame) {
      this.answers.push(frame);
      return;
    }
    this.frames.push(frame);
    this.onFrame?.(frame);
  }

  leave(frame: CloseFrame): void {
    this.#closedBy ??= frame;
    this.#isOver = true;
    this.socket.end(frame);
  }
}

const BEARER = 'nestjs-channels.bearer.';

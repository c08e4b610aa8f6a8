// oxlint-disable unicorn/prefer-add-event-listener -- the signatures of addEventListener differ between implementations
import {
  BEARER_SUBPROTOCOL_PREFIX,
  JSON_SUBPROTOCOL,
  SLOT_SUBPROTOCOL_PREFIX,
  type AckFrame,
  type ServerFrame,
  type Welcome,
} from '../protocol/index.js';
import { ABNORMAL_CLOSE, NORMAL_CLOSE } from '../protocol/close-verdict.js';
import { waitAfter } from './backoff.js';
import { checkToken, type ResolvedClientOptions } from './client-options.js';
import type { ClientState } from './client-state.js';
import { watchHints } from './hints.js';
import { reduce, START, type Effect, type Input, type Lifecycle, type TimerName } from './lifecycle.js';
import { watchLiveness, type Liveness } from './liveness.js';
import type { Reporter } from './reporter.js';
import { delayOf, parseServerFrame, waitOf } from './server-frame.js';
import { base64url } from './system.js';
import type { WebSocketLike } from './web-socket.interface.js';
import { parseWelcome } from './welcome.js';

/** What a connection asks and tells the client that owns it. */
export interface ConnectionEvents {
  /** Whether a call waits for the server. */
  isOwed(): boolean;
  /** Before an attempt: what has to be waited for, which never fails. */
  restore(): Promise<void> | undefined;
  /** The identity to say `$hello` with. */
  clientId(): string;
  /** Open; a plain server gives no welcome. */
  opened(welcome: Welcome | undefined): void;
  /** No longer open. */
  ended(): void;
  /** For good. */
  closed(): void;
  /** Its socket is gone, also one that was not open yet. */
  hungUp(): void;
  changed(state: ClientState): void;
  /** The slot of a `$drain` has come. */
  handOver(): void;
  received(frame: ServerFrame): void;
  /** A new identity is due: what was sent under the old one must not be sent again, or nothing at all. */
  renewed(giveUp: 'sent' | 'all'): void;
}

/** The connection of a client, which comes and goes: carries out what the lifecycle decides. */
export class Connection {
  readonly #options: ResolvedClientOptions;
  readonly #events: ConnectionEvents;
  readonly #reporter: Reporter;
  readonly #timers = new Map<TimerName | 'refresh', unknown>();
  #lifecycle: Lifecycle;
  #socket: WebSocketLike | undefined;
  /** The ticket of a slot, for each attempt until the server answers one. */
  #slot: string | undefined;
  #liveness: Liveness | undefined;
  #helloId: string | undefined;
  #refreshId: string | undefined;
  /** Of `$refresh`, in a row. */
  #refusals = 0;
  #welcome: Welcome | undefined;
  #unwatchHints: (() => void) | undefined;
  /** Set while inputs are taken: one that comes meanwhile waits its turn. */
  #inputs: Input[] | undefined;

  /** @param before - the connection that this one is to take over from */
  constructor(
    options: ResolvedClientOptions,
    events: ConnectionEvents,
    reporter: Reporter,
    before?: Connection,
  ) {
    this.#options = options;
    this.#events = events;
    this.#reporter = reporter;
    this.#lifecycle = before ? { ...before.#lifecycle, state: START.state } : START;
  }

  get state(): ClientState {
    return this.#lifecycle.state;
  }

  /**
   * Whether the socket has taken the frame.
   *
   * @param maxBuffered - how many bytes may wait in the socket before it
   */
  write(text: string, maxBuffered = Infinity): boolean {
    const socket = this.#socket;
    // What a closing socket is given is lost without a word.
    if (socket?.readyState !== OPEN || (socket.bufferedAmount ?? 0) > maxBuffered) return false;
    socket.send(text);
    this.#liveness?.sent();
    return true;
  }

  take(input: Input): void {
    if (this.#inputs) {
      this.#inputs.push(input);
      return;
    }
    this.#inputs = [input];
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) this.#step(next);
    } finally {
      this.#inputs = undefined;
    }
  }

  #step(input: Input): void {
    const { clock, random } = this.#options;
    const { state } = this;
    const circumstances = { now: clock.now(), chance: random.next(), isOwed: this.#events.isOwed() };
    const { next, effects } = reduce(this.#lifecycle, input, this.#options, circumstances);
    this.#lifecycle = next;
    const changed = next.state !== state;
    if (changed) this.#leave(state);
    for (const effect of effects) this.#carryOut(effect);
    if (changed) this.#arrive(next.state);
  }

  #leave({ name }: ClientState): void {
    for (const timer of this.#timers.values()) this.#options.clock.clearTimer(timer);
    this.#timers.clear();
    this.#unwatchHints?.();
    this.#liveness?.stop();
    this.#unwatchHints = this.#liveness = undefined;
    this.#helloId = this.#refreshId = undefined;
    if (name === 'open') this.#events.ended();
  }

  #arrive(state: ClientState): void {
    this.#events.changed(state);
    if (state.name !== 'idle' && state.name !== 'closed') {
      this.#unwatchHints = watchHints(() => this.take({ type: 'hint' }));
    }
    if (state.name === 'open') this.#open();
    if (state.name === 'closed') this.#events.closed();
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'askToken':
        return this.#askToken(effect.refresh);
      case 'openSocket':
        return this.#openSocket(effect.token);
      case 'greet':
        return this.#greet();
      case 'dropSocket':
        // Without waiting for the peer: a connection that is only half there may take minutes to say so.
        return this.#forgetSocket()?.close(NORMAL_CLOSE);
      case 'startTimer':
        return this.#startTimer(effect.timer, effect.ms);
      case 'probe':
        return this.#liveness?.probe();
      case 'handOver':
        return this.#events.handOver();
      case 'renewIdentity':
        return this.#events.renewed(effect.giveUp);
    }
  }

  #startTimer(name: TimerName | 'refresh', ms: number): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timers.get(name));
    this.#timers.set(
      name,
      clock.setTimeout(() => (name === 'refresh' ? this.#askToken(true) : this.#timeUp(name)), ms),
    );
  }

  /** Well before the session ends, and not when all others do. What comes too late is told by 4401. */
  #refreshWithin(data: unknown): void {
    const ms = delayOf(data, 'expiresInMs');
    this.#refusals = 0;
    if (ms && typeof this.#options.token === 'function')
      this.#startTimer('refresh', ms * (0.8 + this.#options.random.next() / 10));
  }

  #timeUp(timer: TimerName): void {
    if (timer === 'deadline' && this.#lifecycle.step === 'hello')
      this.#reporter.fail('connect_failed', NO_HELLO);
    this.take({ type: timer });
  }

  #askToken(refresh: boolean): void {
    const { token } = this.#options;
    // What comes late comes for an attempt that is over.
    const attempt = this.state;
    const isOver = (): boolean => this.state !== attempt;
    const restored = this.#events.restore();
    if (restored) {
      void restored.then(() => isOver() || this.#askToken(refresh));
      return;
    }
    if (typeof token !== 'function') {
      this.take({ type: 'token', token: token || undefined });
      return;
    }
    const isOpen = attempt.name === 'open';
    const given = (answer: string | undefined): void => {
      if (isOver()) return;
      if (isOpen) this.#refresh(answer);
      else this.take({ type: 'token', token: answer });
    };
    const failed = (cause: unknown): void => {
      if (isOver()) return;
      const message = 'The token failed.';
      // As long as it is open the token before holds.
      if (isOpen) this.#reporter.fail('connect_failed', message, cause);
      else this.#giveUp('token_failed', message, cause);
    };
    void new Promise<string | null | undefined>((resolve) => resolve(token({ refresh })))
      .then((answer) => (answer ? checkToken(answer) : undefined))
      .then(given, failed);
  }

  #refresh(token: string | undefined): void {
    if (token) this.#ask((this.#refreshId = this.#options.random.id()), '$refresh', { token });
  }

  #ask(id: string, event: string, data: object): void {
    this.write(JSON.stringify({ event, id, data }));
  }

  #openSocket(token: string | undefined): void {
    const { WebSocket, url, server } = this.#options;
    const protocols = [JSON_SUBPROTOCOL];
    if (token !== undefined) protocols.push(BEARER_SUBPROTOCOL_PREFIX + base64url(token));
    if (this.#slot) protocols.push(SLOT_SUBPROTOCOL_PREFIX + this.#slot);
    try {
      this.#listen(server === 'plain' ? new WebSocket(url) : new WebSocket(url, protocols));
    } catch (cause) {
      this.#giveUp('connect_failed', 'The WebSocket failed.', cause);
    }
  }

  #listen(socket: WebSocketLike): void {
    this.#socket = socket;
    socket.onopen = (): void => this.take({ type: 'opened' });
    socket.onmessage = ({ data }: { readonly data: unknown }): void => this.#receive(data);
    const closed = ({ code = ABNORMAL_CLOSE, reason }: CloseDetails): void => {
      this.#forgetSocket();
      const wait = waitOf(reason);
      if (code !== ABNORMAL_CLOSE) this.#slot = wait.slot;
      this.take({ type: 'lost', code, ...wait });
    };
    socket.onclose = closed;
    // Node 20 tells a failed handshake by an error alone. Elsewhere a close follows, and knows no more. It
    // stays set: the package `ws` throws where nobody listens to an error.
    socket.onerror = (): void => {
      if (this.#socket === socket && this.#lifecycle.step === 'socket') closed({});
    };
  }

  /** From here on it tells nothing any more. */
  #forgetSocket(): WebSocketLike | undefined {
    const socket = this.#socket;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    this.#socket = undefined;
    this.#events.hungUp();
    return socket;
  }

  #greet(): void {
    const data = { clientId: this.#events.clientId(), heartbeat: true };
    this.#ask((this.#helloId = this.#options.random.id()), '$hello', data);
  }

  #open(): void {
    const welcome = this.#welcome;
    this.#welcome = this.#slot = undefined;
    if (welcome) {
      this.#refreshWithin(welcome);
      const { intervalMs, clientTimeoutMs } = welcome.heartbeat;
      this.#liveness = watchLiveness({
        clock: this.#options.clock,
        // A server that does not ping is asked often enough that there is something to hear.
        intervalMs: intervalMs || clientTimeoutMs / 2,
        timeoutMs: clientTimeoutMs,
        ping: () => this.write('{"event":"$ping"}'),
        silent: () => this.take({ type: 'failed', reason: 'silence' }),
      });
    }
    this.#events.opened(welcome);
  }

  #receive(data: unknown): void {
    this.#liveness?.heard();
    const frame = parseServerFrame(data);
    const isPlain = this.#options.server === 'plain';
    if (frame) {
      if (isPlain || !this.#isOwn(frame)) this.#events.received(frame);
    } else if (!isPlain) {
      // A stock gateway may answer with any value; from ours it is a fault.
      this.#reporter.fail('bad_frame', 'The server sent no frame.');
    }
  }

  /** Whether a frame is about the connection itself. */
  #isOwn(frame: ServerFrame): boolean {
    if (!('event' in frame)) {
      if (frame.ack === this.#helloId) this.#greeted(frame);
      else if (frame.ack === this.#refreshId) this.#refreshed(frame);
      else return false;
      return true;
    }
    switch (frame.event) {
      case '$ping':
        this.write('{"event":"$pong"}');
        return true;
      case '$drain':
        this.take({ type: 'drain', reconnectAfterMs: delayOf(frame.data, 'reconnectAfterMs') ?? 0 });
        return true;
      default:
        return false;
    }
  }

  /** Where it was refused for good the session ends with the token before, by 4401. */
  #refreshed({ data, error }: AckFrame): void {
    if (!error) this.#refreshWithin(data);
    else if (error.retryable) this.#startTimer('refresh', waitAfter(error, ++this.#refusals, this.#options));
    else this.#reporter.fail('connect_failed', `No refresh: ${error.message}.`);
  }

  #greeted({ data, error }: AckFrame): void {
    this.#welcome = error ? undefined : parseWelcome(data);
    if (this.#welcome) this.take({ type: 'welcomed' });
    else this.#giveUp('connect_failed', `No welcome: ${error?.message}.`);
  }

  #giveUp(reason: 'connect_failed' | 'token_failed', message: string, cause?: unknown): void {
    this.#reporter.fail('connect_failed', message, cause);
    this.take({ type: 'failed', reason });
  }
}

interface CloseDetails {
  readonly code?: number;
  readonly reason?: unknown;
}

/** `WebSocket.OPEN`, which not every implementation names. */
const OPEN = 1;

const NO_HELLO = "No answer to $hello. Behind the stock adapter, pass { server: 'plain' }.";

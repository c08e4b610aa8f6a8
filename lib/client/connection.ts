import {
  BEARER_SUBPROTOCOL_PREFIX,
  CLOSE_CODES,
  closeCode,
  JSON_SUBPROTOCOL,
  type AckFrame,
  type Welcome,
} from '../protocol/index.js';
import { ChannelsClientError, type ClientErrorCode } from './client-error.js';
import { checkToken, type ResolvedClientOptions } from './client-options.js';
import type { ClientState } from './client-state.js';
import { watchHints } from './hints.js';
import {
  reduce,
  START,
  type Effect,
  type Input,
  type Lifecycle,
  type LifecycleOptions,
  type TimerName,
} from './lifecycle.js';
import { Liveness } from './liveness.js';
import { asDelay, isRecord, parseServerFrame, retryAfterOf, type ServerMessage } from './server-frame.js';
import { Socket } from './socket.js';
import { base64url } from './system.js';
import { parseWelcome } from './welcome.js';

/** What a connection tells the client that owns it. */
export interface ConnectionEvents {
  /** Open; a plain server gives no welcome. */
  opened(welcome: Welcome | undefined): void;
  /** No longer open. */
  ended(): void;
  /** For good. */
  closed(error: ChannelsClientError, byApplication: boolean): void;
  /** The state is another one; told after everything else of the change. */
  changed(state: ClientState): void;
  received(message: ServerMessage): void;
  failed(error: ChannelsClientError): void;
  /** A new identity was taken: what was sent under the old one must not be sent again. */
  renewed(): void;
  /** `reset()`: nothing of the past counts. */
  forgotten(): void;
}

/** The connection of a client, which comes and goes: carries out what the lifecycle decides. */
export class Connection {
  readonly #rules: LifecycleOptions;
  readonly #timers = new Map<TimerName, object>();
  #lifecycle: Lifecycle = START;
  #socket: Socket | undefined;
  #liveness: Liveness | undefined;
  #clientId: string;
  #helloId: string | undefined;
  #welcome: Welcome | undefined;
  #unwatchHints: (() => void) | undefined;
  /** Set while inputs are taken: one that comes meanwhile waits its turn. */
  #inputs: Input[] | undefined;

  constructor(
    private readonly options: ResolvedClientOptions,
    private readonly events: ConnectionEvents,
  ) {
    this.#clientId = options.random.id();
    this.#rules = {
      ...options,
      refreshable: typeof options.token === 'function',
      greets: options.server === 'channels',
    };
  }

  get state(): ClientState {
    return this.#lifecycle.state;
  }

  /** Bytes that the socket has taken and not sent yet. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0;
  }

  /** Whether the socket has taken it. */
  write(text: string): boolean {
    this.#liveness?.sent();
    return this.#socket?.write(text) ?? false;
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
    const { clock, random } = this.options;
    const { state } = this;
    const circumstances = { now: clock.now(), chance: random.next() };
    const { next, effects } = reduce(this.#lifecycle, input, this.#rules, circumstances);
    this.#lifecycle = next;
    const changed = next.state !== state;
    if (changed) this.#leave(state);
    for (const effect of effects) this.#carryOut(effect);
    if (changed) this.#arrive(next.state);
  }

  #leave({ name }: ClientState): void {
    for (const timer of this.#timers.values()) this.options.clock.clearTimer(timer);
    this.#timers.clear();
    this.#liveness?.stop();
    this.#liveness = undefined;
    this.#helloId = undefined;
    if (name === 'open') this.events.ended();
  }

  #arrive(state: ClientState): void {
    if (state.name === 'idle' || state.name === 'closed') {
      this.#unwatchHints?.();
      this.#unwatchHints = undefined;
    } else {
      this.#unwatchHints ??= watchHints(() => this.take({ type: 'hint' }));
    }
    if (state.name === 'open') this.#open();
    if (state.name === 'closed') this.events.closed(closedError(state), state.reason === 'close_called');
    this.events.changed(state);
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
        return this.#dropSocket();
      case 'startTimer':
        return this.#startTimer(effect.timer, effect.ms);
      case 'probe':
        return this.#liveness?.probe();
      case 'reportNoHello':
        return this.#fail('connect_failed', NO_HELLO);
      case 'renewIdentity':
        this.#clientId = this.options.random.id();
        return this.events.renewed();
      case 'forget':
        this.#clientId = this.options.random.id();
        return this.events.forgotten();
    }
  }

  #startTimer(name: TimerName, ms: number): void {
    const { clock } = this.options;
    const running = this.#timers.get(name);
    if (running) clock.clearTimer(running);
    this.#timers.set(
      name,
      clock.setTimeout(() => this.take({ type: 'time', timer: name }), ms),
    );
  }

  #askToken(refresh: boolean): void {
    const { token } = this.options;
    if (typeof token !== 'function') {
      this.take({ type: 'token', token });
      return;
    }
    // A function that answers late answers for an attempt that is over.
    const attempt = this.state;
    const given = (answer: string | undefined): void => {
      if (this.state === attempt) this.take({ type: 'token', token: answer });
    };
    const failed = (cause: unknown): void => {
      if (this.state !== attempt) return;
      this.#fail('connect_failed', 'The token function failed.', cause);
      this.take({ type: 'failed', reason: 'token_failed' });
    };
    void new Promise<string | null | undefined>((resolve) => resolve(token({ refresh })))
      .then((answer) => (answer ? checkToken(answer) : undefined))
      .then(given, failed);
  }

  #openSocket(token: string | undefined): void {
    const { WebSocket, url, server } = this.options;
    const protocols = server === 'plain' ? [] : [JSON_SUBPROTOCOL];
    if (token !== undefined) protocols.push(BEARER_SUBPROTOCOL_PREFIX + base64url(token));
    try {
      this.#socket = new Socket(WebSocket, url, protocols, {
        opened: (protocol) => this.#opened(protocol),
        received: (data) => this.#receive(data),
        closed: (code, reason) => {
          this.#socket = undefined;
          this.take({ type: 'lost', code, retryAfterMs: retryAfterOf(reason) });
        },
      });
    } catch (cause) {
      this.#fail('connect_failed', 'The WebSocket could not be made.', cause);
      this.take({ type: 'failed', reason: 'connect_failed' });
    }
  }

  #dropSocket(): void {
    this.#socket?.drop();
    this.#socket = undefined;
  }

  #opened(protocol: string): void {
    if (this.options.server === 'channels' && protocol !== JSON_SUBPROTOCOL) {
      this.#fail('connect_failed', NOT_OURS);
      this.take({ type: 'failed', reason: 'connect_failed' });
      return;
    }
    this.take({ type: 'opened' });
  }

  #greet(): void {
    const id = this.options.random.id();
    const data = { clientId: this.#clientId, heartbeat: true };
    this.#helloId = id;
    this.write(JSON.stringify({ event: '$hello', id, data }));
  }

  #open(): void {
    const welcome = this.#welcome;
    this.#welcome = undefined;
    if (welcome) this.#liveness = this.#watch(welcome.heartbeat);
    this.events.opened(welcome);
  }

  #watch({ intervalMs, clientTimeoutMs }: Welcome['heartbeat']): Liveness {
    // A server that does not ping is asked often enough that the silence watch has something to hear.
    return new Liveness(this.options.clock, intervalMs || clientTimeoutMs / 2, clientTimeoutMs, {
      ping: () => this.write('{"event":"$ping"}'),
      silent: () => this.take({ type: 'failed', reason: 'silence' }),
    });
  }

  #receive(data: unknown): void {
    this.#liveness?.heard();
    const message = parseServerFrame(data);
    if (!message) {
      this.#fail('bad_frame', 'The server has sent something that is no frame; it was dropped.');
    } else if (message.type === 'ack' && message.frame.ack === this.#helloId) {
      this.#greeted(message.frame);
    } else if (!this.#isOwn(message)) {
      this.events.received(message);
    }
  }

  /** Whether a frame is about the connection itself. */
  #isOwn(message: ServerMessage): boolean {
    if (message.type !== 'event' || this.options.server === 'plain') return false;
    const { event, data } = message.frame;
    switch (event) {
      case '$ping':
        this.write('{"event":"$pong"}');
        return true;
      case '$pong':
        return true;
      case '$drain':
        this.take({
          type: 'drain',
          reconnectAfterMs: (isRecord(data) ? asDelay(data['reconnectAfterMs']) : undefined) ?? 0,
        });
        return true;
      default:
        return false;
    }
  }

  #greeted({ data, error }: AckFrame): void {
    this.#welcome = error ? undefined : parseWelcome(data);
    if (this.#welcome) {
      this.take({ type: 'welcomed' });
      return;
    }
    this.#fail(
      'connect_failed',
      `The server did not accept $hello: ${error?.message ?? 'its answer is unknown'}.`,
    );
    this.#dropSocket();
    const { code } = CLOSE_CODES.TryAgainLater;
    this.take({ type: 'lost', code, retryAfterMs: asDelay(error?.retryAfterMs) });
  }

  #fail(code: ClientErrorCode, message: string, cause?: unknown): void {
    this.events.failed(new ChannelsClientError(code, message, { cause }));
  }
}

const PLAIN_HINT = "If this gateway runs behind the stock adapter, pass { server: 'plain' }.";
const NO_HELLO = `The server has not answered $hello. ${PLAIN_HINT}`;
const NOT_OURS = `The server has not selected the subprotocol ${JSON_SUBPROTOCOL}. ${PLAIN_HINT}`;

function closedError({ reason, code }: ClientState): ChannelsClientError {
  const name =
    code === undefined ? '' : `, code ${code}${closeCode(code) ? ` (${closeCode(code)?.name})` : ''}`;
  return new ChannelsClientError('closed', `The client is closed: ${reason}${name}.`, { closeCode: code });
}

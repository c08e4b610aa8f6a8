import { performance } from 'node:perf_hooks';
import {
  ChannelsClient,
  ChannelsClientError,
  type Channel,
  type ChannelsClientOptions,
  type ClientState,
  type Publication,
  type UntypedApi,
} from '../client/index.js';
import type { Attendance } from './attendance.js';
import type { LoadFigures } from './load-figures.js';

/** What all connections of a run share. */
export interface LoadWorld {
  readonly url: string;
  readonly WebSocket: ChannelsClientOptions['WebSocket'];
  readonly figures: LoadFigures;
  readonly attendance: Attendance;
  /** Takes what has arrived at the connection of this number. */
  arrived(data: unknown, connection: number, now: number): void;
}

/** What one of them has for itself. */
export interface LoadPart {
  readonly channels: readonly string[];
  readonly token: string | undefined;
}

/** How long one message may take, in milliseconds. Then it has failed with `timeout`. */
const ANSWER_TIMEOUT_MS = 10_000;

/** So many publications may come in one read of a socket without ending the loop that counts them. */
const MAX_BUFFERED = 100_000;

type ChannelPhase = 'out' | 'in' | 'refused';

type AnyChannel = Channel<UntypedApi['channels'][string]>;

/** One client of a run, which joins its channels, and notes what it sees. */
export class LoadConnection {
  readonly #world: LoadWorld;
  readonly #client: ChannelsClient;
  readonly #channels = new Map<string, ChannelPhase>();
  #state: ClientState;
  /** When the attempt began, or the server answered `$hello`. */
  #since = 0;
  #hasBeenOpen = false;
  #turn = 0;

  constructor(
    readonly number: number,
    { channels, token }: LoadPart,
    world: LoadWorld,
  ) {
    const { url, WebSocket } = world;
    this.#world = world;
    this.#client = new ChannelsClient(url, { token, WebSocket, maxBuffered: MAX_BUFFERED });
    this.#state = this.#client.state;
    for (const name of channels) this.#channels.set(name, 'out');
  }

  /** Connects, and joins. May be called once. */
  open(): void {
    const { figures } = this.#world;
    this.#client.on('$state', (state) => this.#changed(state));
    this.#client.on('$error', ({ code }) => figures.errors.add(code));
    this.#client.on('$gap', () => figures.gaps++);
    this.#client.connect();
    for (const name of this.#channels.keys()) this.#join(name);
  }

  close(): void {
    this.#client.close();
  }

  get state(): ClientState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state.name === 'open';
  }

  /** Whether nothing is to be waited for: each channel is joined, or was refused. */
  get isReady(): boolean {
    return this.isOpen && ![...this.#channels.values()].includes('out');
  }

  get channels(): readonly string[] {
    return [...this.#channels.keys()];
  }

  /** Whether it was let into none of its channels. */
  get isRefused(): boolean {
    const phases = [...this.#channels.values()];
    return this.isReady && phases.length > 0 && phases.every((phase) => phase === 'refused');
  }

  /** The channel that it sends to next: those that it is in take turns. */
  nextChannel(): string | undefined {
    if (!this.isOpen) return undefined;
    const joined = [...this.#channels].flatMap(([name, phase]) => (phase === 'in' ? [name] : []));
    return joined[this.#turn++ % joined.length];
  }

  /** Resolves with the answer, and rejects with what the client's `send` rejects with. */
  send(event: string, data: unknown): Promise<unknown> {
    return this.#client.send(event, data, { timeoutMs: ANSWER_TIMEOUT_MS });
  }

  #changed(state: ClientState): void {
    const before = this.#state;
    const now = performance.now();
    this.#state = state;
    if (state.name === 'open') this.#opened(now);
    else if (state.reason !== 'close_called') this.#missed(before, state);
    if (before.name === 'open') for (const name of this.#channels.keys()) this.#move(name, 'out');
    this.#since = now;
  }

  #opened(now: number): void {
    const { figures } = this.#world;
    figures.connectMs.add(now - this.#since);
    if (this.#hasBeenOpen) figures.cameBack++;
    else figures.opened++;
    this.#hasBeenOpen = true;
  }

  #missed(before: ClientState, { reason, code }: ClientState): void {
    const { refused, lost } = this.#world.figures;
    if (before.name === 'connecting') refused.add(code ?? reason);
    if (before.name === 'open') lost.add(code ?? reason);
  }

  #join(name: string): void {
    const { figures } = this.#world;
    const channel: AnyChannel = this.#client.channel(name);
    channel.on('$subscribed', () => {
      figures.joined++;
      figures.joinMs.add(performance.now() - this.#since);
      this.#move(name, 'in');
    });
    channel.on('$unsubscribed', () => this.#move(name, 'refused'));
    channel.on('$error', ({ code }) => {
      figures.refusedJoins.add(code);
      this.#move(name, 'refused');
    });
    void this.#read(channel);
  }

  async #read(channel: AnyChannel): Promise<void> {
    try {
      for await (const publication of channel) this.#arrived(publication);
    } catch (error) {
      // What else ends the loop was told by `$error`, by `$unsubscribed` or by the state, and is counted there.
      const isBehind = error instanceof ChannelsClientError && error.code === 'queue_full';
      if (isBehind) this.#world.figures.errors.add(error.code);
    }
  }

  #arrived({ data, dropped = 0 }: Publication<UntypedApi['channels'][string]>): void {
    const { figures, arrived } = this.#world;
    figures.received++;
    // A client hands on what its server sends, and a text would be joined to the figure.
    if (Number.isSafeInteger(dropped) && dropped > 0) figures.dropped += dropped;
    arrived(data, this.number, performance.now());
  }

  #move(name: string, to: ChannelPhase): void {
    const from = this.#channels.get(name);
    // Being refused does not end with the connection: the client does not ask again.
    if (from === to || (from === 'refused' && to === 'out')) return;
    this.#channels.set(name, to);
    if (to === 'in') this.#world.attendance.enter(name);
    if (from === 'in') this.#world.attendance.leave(name);
  }
}

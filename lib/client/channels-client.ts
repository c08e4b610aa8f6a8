import {
  RESERVED_EVENT_PREFIX,
  type AckFrame,
  type ServerFrame,
  type Welcome,
  type WireError,
} from '../protocol/index.js';
import { REPLACED_CLOSE } from '../protocol/close-verdict.js';
import type {
  ChannelName,
  ChannelOf,
  ChannelParams,
  ClientApi,
  EventData,
  EventName,
  MessageAnswer,
  MessageArguments,
  MessageName,
  RequestAnswer,
  RequestData,
  RequestName,
  UntypedApi,
} from './api.js';
import { Channel, type ChannelOptions } from './channel.js';
import { ChannelTable } from './channel-table.js';
import { ChannelsClientError } from './client-error.js';
import type { ClientEvents } from './client-events.js';
import {
  resolveClientOptions,
  type ChannelsClientOptions,
  type ResolvedClientOptions,
} from './client-options.js';
import type { ClientState } from './client-state.js';
import { Connection } from './connection.js';
import type { Input } from './lifecycle.js';
import { encodeFrame, refusalOf } from './frame-text.js';
import type { SendOptions } from './pending-send.js';
import { Reporter } from './reporter.js';
import { RequestTable, type RequestContext } from './request-table.js';
import { SendQueue } from './send-queue.js';

/**
 * A connection to a gateway that comes back by itself. It connects when something needs the server: a
 * listener, a channel, a message, or {@link connect}. docs/client.md tells all of it.
 *
 * @example
 * ```ts
 * const client = new ChannelsClient<ChatApi>('wss://api.example.com/ws', { token: () => session.token() });
 * client.channel('chat:lobby').on('message', render);
 * await client.send('chat.send', { room: 'lobby', text: 'hello' });
 * ```
 *
 * @publicApi
 */
export class ChannelsClient<Api extends ClientApi = UntypedApi> {
  readonly #options: ResolvedClientOptions;
  #connection: Connection;
  /** On its way to take over, because the server of the other one goes away. */
  #successor: Connection | undefined;
  /** What that one has brought before its welcome. */
  #early: ServerFrame[] = [];
  /** From which the other one has taken over: for what it has under way, and channels that are not joined anew yet. */
  #former: Connection | undefined;
  readonly #queue: SendQueue;
  readonly #channels: ChannelTable;
  readonly #requests: RequestTable;
  readonly #reporter = new Reporter();
  /** The commands that have no ack yet; they end with their connection. */
  readonly #commands = new Map<string, (ack: AckFrame) => void>();
  /** Who the server took this client for when it was last open. */
  #formerly: string | undefined;
  /** What that server takes. */
  #limits: Readonly<Record<string, number>> = {};

  /**
   * @param url - `wss:` or `ws:`; in a page that is younger than 2024 also `https:`, `http:` or a path
   * @throws TypeError naming the option that cannot be used, and what to do
   */
  constructor(url: string | URL, options?: ChannelsClientOptions) {
    this.#options = resolveClientOptions(url, options);
    const write = (text: string, maxBuffered: number): boolean => this.#connection.write(text, maxBuffered);
    this.#queue = new SendQueue(this.#options, write, this.#reporter, () => this.#leaveFormer());
    this.#requests = new RequestTable(() => this.#limits, this.#reporter);
    const current = (): Connection => this.#connection;
    const channelPort = {
      get connection() {
        return current();
      },
      need: () => this.#need(),
      command: (event: string, data: object, answered: (ack: AckFrame) => void) =>
        this.#command(event, data, answered),
    };
    this.#channels = new ChannelTable(this.#options, channelPort, this.#reporter);
    this.#connection = this.#newConnection();
  }

  #newConnection(before?: Connection): Connection {
    const events = {
      isOwed: () => !this.#queue.isEmpty || this.#channels.isAwaited,
      restore: () => this.#queue.restore(),
      clientId: () => this.#queue.clientId,
      opened: (welcome?: Welcome) =>
        connection === this.#successor ? this.#takeOver(welcome) : this.#opened(welcome),
      ended: () => this.#lost(connection),
      closed: () => this.#closed(connection),
      hungUp: () => {
        this.#requests.end(connection);
        if (connection === this.#successor) this.#early = [];
      },
      received: (frame: ServerFrame) => this.#receive(frame, connection),
      renewed: (giveUp: 'sent' | 'all') => this.#renewed(giveUp),
      changed: (state: ClientState) =>
        connection === this.#connection && this.#reporter.tell('$state', state),
      handOver: () => this.#handOver(connection),
    };
    const connection = new Connection(this.#options, events, this.#reporter, before);
    return connection;
  }

  /** What the client is doing, and why. */
  get state(): ClientState {
    return this.#connection.state;
  }

  /**
   * Connects, also out of `closed`. While it waits it tries at once; while it is open it makes sure that the
   * connection still lives, which is what to call when an app comes back to the foreground.
   */
  connect(): void {
    this.#connection.take({ type: 'connect' });
  }

  /** Closes with 1000, and rejects what waits with `closed`. Listeners stay: {@link connect} comes back. */
  close(): void {
    this.#stay();
    this.#connection.take(CLOSE);
  }

  /**
   * For the moment somebody logs in or out: rejects everything that waits with `principal_changed`, takes a
   * new identity, and connects again with a token asked anew, unless the client is idle or closed.
   */
  reset(): void {
    this.#stay();
    this.#connection.take({ type: 'reset' });
  }

  /**
   * Sends a message, and again after a reconnect until it is answered: at least once, and where the handler
   * is `@Acked` and the server deduplicates, at most once. Waits while the client is offline.
   *
   * @returns what the handler returned; with a plain server nothing, once the frame is written
   * @throws ChannelsClientError its `code` tells why, see docs/client.md; an abort rejects with the reason of
   * the signal
   */
  async send<Name extends MessageName<Api>>(
    event: Name,
    ...[data, options]: [...MessageArguments<Api, Name>, options?: SendOptions]
  ): Promise<MessageAnswer<Api, Name>> {
    checkEvent(event);
    const refusal = this.#need();
    if (refusal) throw refusal;
    const answer = this.#queue.add(event, data, options ?? {});
    return answer as Promise<MessageAnswer<Api, Name>>;
  }

  /**
   * Sends a message once, or not at all: without an ack, a queue or a second try.
   *
   * @returns false when it was not sent, because the client is not open, or the socket is behind by more
   * than `maxQueueBytes`
   * @throws ChannelsClientError `payload_too_large` or `bad_request` for what the server would not take
   */
  emit<Name extends MessageName<Api>>(event: Name, ...[data]: MessageArguments<Api, Name>): boolean {
    checkEvent(event);
    const frame = encodeFrame({ event, data });
    const refusal = refusalOf(frame, this.#limits);
    if (refusal) throw refusal;
    this.#need();
    return this.state.name === 'open' && this.#connection.write(frame.text, this.#options.maxQueueBytes);
  }

  /**
   * Listens to an event of the server, or to `$state`, `$gap`, `$settled` and `$error`, which are about the client
   * and need no connection.
   *
   * @returns a function that ends it, and may be called twice
   */
  on<Name extends EventName<Api> | keyof ClientEvents>(
    event: Name,
    listener: (told: Name extends keyof ClientEvents ? ClientEvents[Name] : EventData<Api, Name>) => void,
  ): () => void {
    if (!event.startsWith(RESERVED_EVENT_PREFIX)) this.#need();
    return this.#reporter.add(event, listener);
  }

  /**
   * Answers a request of the server (`ChannelSocket.request`) with what the handler gives. A
   * {@link ChannelsClientError} that it throws is told with its code, message and details; of anything else
   * the server learns `internal`, and `$error` the cause. Without a handler the answer is `unknown_event`.
   *
   * @returns a function that ends it, and may be called twice
   * @throws TypeError where the event has a handler already or begins with `$`, and with a plain server
   */
  handle<Name extends RequestName<Api>>(
    event: Name,
    handler: (
      data: RequestData<Api, Name>,
      context: RequestContext,
    ) => RequestAnswer<Api, Name> | Promise<RequestAnswer<Api, Name>>,
  ): () => void {
    checkEvent(event);
    if (this.#options.server === 'plain') throw new TypeError('A plain server has no requests.');
    const end = this.#requests.add(event, handler);
    this.#need();
    return end;
  }

  /**
   * A handle on a channel. It joins when somebody listens.
   *
   * @throws TypeError with a plain server, which has no channels
   */
  channel<const Name extends ChannelName<Api>>(
    name: Name,
    options: ChannelOptions<ChannelParams<ChannelOf<Api, Name>>> = {},
  ): Channel<ChannelOf<Api, Name>> {
    if (this.#options.server === 'plain') throw new TypeError('A plain server has no channels.');
    return new Channel(name, this.#channels, options);
  }

  /** Why nothing can be asked of the server any more. */
  get #refusal(): ChannelsClientError | undefined {
    const { name, reason, code } = this.state;
    if (name !== 'closed') return undefined;
    return new ChannelsClientError('closed', `The client is closed: ${reason}.`, { closeCode: code });
  }

  #need(): ChannelsClientError | undefined {
    this.#connection.take({ type: 'need' });
    return this.#refusal;
  }

  #opened(welcome: Welcome | undefined): void {
    const { principal } = welcome ?? {};
    const before = this.#queue.principal;
    const error = new ChannelsClientError('principal_changed', 'Somebody else is logged in now.');
    if (before !== undefined && before !== principal) this.#channels.rejectCalls(error);
    // Behind a close nothing waits, but channels still have the positions of whoever was there before.
    if (this.#formerly !== principal) this.#channels.forget();
    this.#formerly = principal;
    this.#queue.claim(principal, error);
    this.#limits = welcome?.limits ?? {};
    // Channels first: what the messages cause is published to those who have joined.
    this.#channels.open();
    this.#queue.open(this.#limits);
  }

  /** The server has given a slot, which has come: opens another connection before it leaves this one. */
  #handOver(connection: Connection): void {
    if (connection !== this.#connection) return;
    this.#stay();
    this.#queue.moved();
    this.#successor = this.#newConnection(connection);
    this.#successor.take({ type: 'slot' });
  }

  /** Channels are joined anew one by one; what is in flight on the connection before settles there. */
  #takeOver(welcome: Welcome | undefined): void {
    const former = this.#connection;
    const connection = this.#successor as Connection;
    const early = this.#early;
    this.#connection = connection;
    this.#successor = undefined;
    this.#early = [];
    if (welcome?.principal === this.#formerly) {
      this.#former = former;
      this.#limits = welcome?.limits ?? {};
      this.#channels.open();
      this.#queue.move(this.#limits);
    } else {
      former.take(CLOSE);
      this.#ended();
      this.#opened(welcome);
    }
    for (const frame of early) this.#receive(frame, connection);
    this.#leaveFormer();
  }

  /** Where nothing of the connection before is needed any more. */
  #leaveFormer(): void {
    const former = this.#former;
    if (!former || this.#queue.isMoving || this.#channels.needs(former) || this.#requests.isOwed(former))
      return;
    this.#endFormer();
  }

  #endFormer(): void {
    const former = this.#former;
    if (!former) return;
    this.#former = undefined;
    former.take(CLOSE);
    this.#channels.pause(former);
  }

  /** With the connection that counts, and none beside it. */
  #stay(): void {
    this.#endFormer();
    const successor = this.#successor;
    this.#successor = undefined;
    this.#early = [];
    successor?.take(CLOSE);
  }

  /** One that was open is so no longer. */
  #lost(connection: Connection): void {
    if (connection === this.#former) {
      this.#endFormer();
      this.#queue.moved();
    }
    if (connection !== this.#connection) return;
    this.#stay();
    this.#ended();
  }

  #ended(): void {
    this.#commands.clear();
    this.#queue.pause();
    this.#channels.pause();
  }

  #closed(connection: Connection): void {
    if (connection === this.#successor) this.#successor = undefined;
    if (connection !== this.#connection) return;
    const error = this.#refusal as ChannelsClientError;
    this.#queue.rejectAll(error);
    this.#queue.close();
    this.#channels.close(error, this.state.reason === 'close_called');
  }

  #renewed(giveUp: 'sent' | 'all'): void {
    this.#queue.clientId = this.#options.random.id();
    if (giveUp === 'all') {
      const error = new ChannelsClientError('principal_changed', 'reset() was called.');
      this.#queue.reset(error);
      this.#channels.rejectCalls(error);
      this.#channels.forget();
      return;
    }
    const text = 'Another client took this identity.';
    this.#queue.rejectSent(new ChannelsClientError('closed', text, { closeCode: REPLACED_CLOSE }));
  }

  #receive(frame: ServerFrame, by: Connection): void {
    // What it tells of channels holds when it counts.
    if (by === this.#successor) {
      this.#early.push(frame);
      return;
    }
    if (!('event' in frame)) this.#acked(frame);
    else if ('channel' in frame && this.#options.server === 'channels') this.#channels.publish(frame, by);
    else if (frame.event.startsWith(RESERVED_EVENT_PREFIX)) this.#channels.receive(frame, by);
    else if ('id' in frame && this.#options.server === 'channels')
      void this.#requests.answer(frame, by).then(() => this.#leaveFormer());
    else this.#reporter.emit(frame.event, frame.data);
    this.#leaveFormer();
  }

  /** An ack of nothing that is known is late: what it answers has been settled. */
  #acked(frame: AckFrame): void {
    const answered = this.#commands.get(String(frame.ack));
    if (!answered) {
      this.#queue.answer(frame);
      return;
    }
    this.#commands.delete(String(frame.ack));
    answered(frame);
  }

  #command(event: string, data: object, answered: (ack: AckFrame) => void): void {
    const id = this.#options.random.id();
    const frame = encodeFrame({ event, data, id });
    const refusal = refusalOf(frame, this.#limits);
    this.#commands.set(id, answered);
    if (!refusal) {
      this.#connection.write(frame.text);
      return;
    }
    // As an answer of the server would come: what hears of it meets a client at rest.
    const error = refusal as unknown as WireError;
    queueMicrotask(() => this.#acked({ ack: id, error }));
  }
}

const CLOSE: Input = { type: 'close' };

function checkEvent(event: string): void {
  if (typeof event === 'string' && !event.startsWith(RESERVED_EVENT_PREFIX)) return;
  throw new TypeError(`${event} is no event: a string that does not begin with $.`);
}

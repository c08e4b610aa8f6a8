import type { Codec } from '../codec/index.js';
import {
  CLOSE_CODES,
  EXCEPTION_EVENT,
  RESERVED_EVENT_PREFIX,
  type AckFrame,
  type EventFrame,
  type MessageId,
  type WireError,
} from '../protocol/index.js';
import type { RequestOptions } from './channel-socket.js';
import { isCommand } from './commands.js';
import type { Clock } from './clock.interface.js';
import type { ConnectionInfo } from './connection-info.js';
import { nextState, type ConnectionState } from './connection-state.js';
import type { StoredAnswer } from './dedup-store.interface.js';
import type { DrainQueue } from './drain-queue.js';
import { EncodedFrame } from './encoded-frame.js';
import type { Endpoint } from './endpoint.js';
import type { Engine } from './engine.js';
import { ChannelsError } from './errors.js';
import { FaultLog } from './fault-log.js';
import type { Identity } from './identity.js';
import type { FlushQueue } from './flush-queue.js';
import { ObservedPeer } from './observed-peer.js';
import { Outbox, type OutboxOwner } from './outbox.js';
import { Lane } from './lane.js';
import { PeerRequests } from './peer-requests.js';
import { Pulse } from './pulse.js';
import { readFrame } from './read-frame.js';
import { SubscriptionTable } from './subscription-table.js';
import { Throttle } from './throttle.js';
import type { Transport } from './transport.interface.js';
import type { Unanswered } from './unanswered.interface.js';

/** One peer, whatever carries it. Owns no timer; a sweep looks after all connections. */
export class Connection extends ObservedPeer implements OutboxOwner {
  readonly id: string;
  /** Grows with each connection of this node. */
  readonly order: number;
  readonly outbox = new Outbox(this);
  readonly subscriptions = new SubscriptionTable(this);

  /** Speaks our protocol: has offered our subprotocol, or sent a `$` frame. The others are plain. */
  ours: boolean;

  /** Secret of the client, kept over its reconnects. */
  clientId?: string;

  /** When the next `$timing` counts, at the earliest. */
  timesAfter = 0;
  /** Wants `$ping` frames instead of protocol pings. */
  wantsPingFrames = false;

  /** `$hello` has been said, or is too late: a message to an `@Acked` handler came first. */
  greeted = false;

  /** A message came since the heartbeat last looked. */
  spoke = false;

  /** `$refresh` runs, or is too early before this time. */
  refreshAfter = -Infinity;

  /** Looked after by the heartbeat. */
  readonly pulse = new Pulse();

  #info: ConnectionInfo;
  #ownClientId?: string;
  #isLeaving = false;
  #state: ConnectionState = 'opening';
  #closeCode?: number;
  #closeReason = '';
  #faults?: FaultLog;
  /** What came while `handleConnection` ran, where that reads messages itself. */
  #waiting?: (string | Uint8Array)[];
  #requests?: PeerRequests;
  #pending?: Set<Unanswered>;
  #lane?: Lane;
  #inFlight = 0;
  #throttle?: Throttle;

  constructor(engine: Engine, endpoint: Endpoint, transport: Transport, info: ConnectionInfo) {
    super(engine, endpoint, transport);
    this.id = engine.random.id();
    this.order = engine.nextOrder();
    this.#info = info;
    this.ours = info.ours;
  }

  /** Of a peer that understands what {@link depart} tells it. */
  get isClient(): boolean {
    return this.ours && this.writable;
  }

  /** It was told to go elsewhere. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get info(): ConnectionInfo {
    return this.#info;
  }

  /** Stands for the client id where it has none. No client id has a colon: the name of a connection is no secret. */
  get ownClientId(): string {
    return (this.#ownClientId ??= `connection:${this.id}`);
  }

  get codec(): Codec {
    return this.engine.codec;
  }

  get writable(): boolean {
    return this.#state === 'open' || this.#state === 'opening';
  }

  get maxOutboxBytes(): number {
    return this.engine.options.maxOutboxBytes;
  }

  get clock(): Clock {
    return this.engine.clock;
  }

  get flushQueue(): FlushQueue {
    return this.engine.flushQueue;
  }

  get drainQueue(): DrainQueue {
    return this.engine.drainQueue;
  }

  /** Messages with an `id` that have no answer yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests of the server that the peer has not answered. */
  get openRequests(): number {
    return this.#requests?.size ?? 0;
  }

  /** Messages that have no answer yet, or whose handler runs, with an `id` or without. */
  get unanswered(): number {
    return (this.#pending?.size ?? 0) + (this.#lane?.waiting ?? 0);
  }

  /** Messages that wait for `handleConnection`. */
  get early(): number {
    return this.#waiting?.length ?? 0;
  }

  /**
   * Handles one message. The transport calls it in the order of arrival. Before `handleConnection` has settled
   * messages wait; `true` says that no more of them should come until then.
   *
   * @param byteLength - as it came, where the transport knows
   */
  receive(message: string | Uint8Array, byteLength = message.length): boolean {
    this.received++;
    if (this.#state === 'opening') return this.#wait(message);
    if (this.#state === 'closed') return false;
    // Also while it is closing: who does not stop then is ended.
    const { throttle } = this;
    if (throttle && !throttle.passes(byteLength)) throttle.receive(message, byteLength);
    else if (this.#state === 'open') this.#handle(message);
    return false;
  }

  /** A ping or pong below the protocol has come. `false` where there are too many to answer. */
  receiveControl(byteLength: number): boolean {
    const { throttle } = this;
    if (this.#state === 'closed' || !throttle || throttle.passes(byteLength)) return this.writable;
    throttle.refuse(byteLength);
    return false;
  }

  /** `handleConnection` has settled: from now on messages are handled, and first those that have waited. */
  open(): void {
    this.#transition('open');
    const waiting = this.#waiting;
    this.#waiting = undefined;
    // They were counted when they came.
    this.received -= waiting?.length ?? 0;
    for (const message of waiting ?? []) this.receive(message);
  }

  /** A new token of the same principal: from now on its session counts. */
  renew(identity: Identity): void {
    const before = this.#info.user;
    this.#info = { ...this.#info, ...identity };
    this.transport.renewed(identity.user, before);
  }

  /** Sends `{ event, data }`. Throws where `data` cannot be encoded. */
  sendEvent(event: string, data?: unknown): void {
    this.outbox.push(new EncodedFrame(this.codec.encodeEvent(event, data)));
  }

  /** Tells the peer to connect anew, after so long, and to leave this connection then. */
  depart(reconnectAfterMs: number): void {
    this.#isLeaving = true;
    this.sendEvent('$drain', { reconnectAfterMs });
  }

  /** Asks the peer and settles with its answer, once, whatever happens. */
  request(event: string, data: unknown, options: RequestOptions = {}): Promise<unknown> {
    return (this.#requests ??= new PeerRequests(this)).send(event, data, options);
  }

  /** Sends what a stock Nest handler answers with: the value itself, nothing for `undefined` and `null`. */
  sendValue(value: unknown): void {
    if (value === undefined || value === null) return;
    const text = this.codec.encodeValue(value);
    if (text !== undefined) this.outbox.push(new EncodedFrame(text));
  }

  /** Sends `{ ack, data }`. Throws where `data` cannot be encoded. */
  sendAck(id: MessageId, data: unknown, more = false): void {
    this.outbox.push(new EncodedFrame(this.codec.encodeAck(id, data, more)), true);
  }

  sendError(id: MessageId, error: WireError): void {
    this.outbox.push(new EncodedFrame(this.codec.encodeError(id, error)), true);
  }

  /** Sends an answer that is encoded already. */
  sendAnswer(id: MessageId, answer: StoredAnswer): void {
    const json = answer.type === 'data' ? answer.data : answer.error;
    this.outbox.push(new EncodedFrame(this.codec.encodeAnswer(id, answer.type, json)), true);
  }

  /** Plain, and its messages are read by the application as well: what no handler takes is none of our business. */
  get isForeign(): boolean {
    return !this.ours && this.transport.isShared;
  }

  /** Tells the peer of a fault that belongs to no `id`, a plain one at most once a second. */
  sendException({ code, message, retryAfterMs }: Omit<WireError, 'retryable'>): void {
    if (!this.ours && !this.#faultLog().mayTell(this.engine.clock.now())) return;
    this.sendEvent(EXCEPTION_EVENT, { status: 'error', code, message, retryAfterMs });
  }

  /** The `id` that a frame is answered under: none where plain peers are answered as the stock adapter does. */
  idOf(frame: EventFrame): MessageId | undefined {
    return this.ours || this.engine.plainAcks ? frame.id : undefined;
  }

  /** Where the messages to `@Acked` handlers wait for each other. */
  get lane(): Lane {
    return (this.#lane ??= new Lane());
  }

  /** Measures what comes; not there where no rates hold. */
  get throttle(): Throttle | undefined {
    if (this.endpoint.isUnlimited) return undefined;
    return (this.#throttle ??= new Throttle(this));
  }

  /** Whether its lane has to wait. */
  get owes(): boolean {
    return this.#throttle?.owes ?? false;
  }

  /** Messages wait in the lane until the rates have room for what was taken on. */
  park(): void {
    if (this.lane.isParked) return;
    this.lane.park();
    this.engine.observers.faulted(this, 'parked');
    this.engine.parkedLanes.add(this);
  }

  track(reply: Unanswered): void {
    (this.#pending ??= new Set()).add(reply);
    if (reply.isAwaited) this.#inFlight++;
  }

  untrack(reply: Unanswered): void {
    if (this.#pending?.delete(reply) && reply.isAwaited) this.#inFlight--;
  }

  /** Flushes what is due and says good-bye with `code`. A second call changes nothing. */
  close(code: number, reason = ''): void {
    if (!this.writable) return;
    this.outbox.flushAll();
    // First the transport: it throws where the application gave a code or a reason that cannot be sent.
    this.transport.end(code, reason);
    this.#end(code, reason);
  }

  /** As {@link close}, for a peer that does not stop: nothing more is read. */
  expel(code: number, reason: string): void {
    if (!this.writable) return;
    this.outbox.flush();
    this.#end(code, reason);
    this.transport.expel(code, reason);
  }

  /** Ends the connection at once. The peer sees 1006; `code` is what log and metrics say. */
  terminate(code: number, reason = ''): void {
    if (this.#state === 'closed') return;
    if (this.writable) this.#end(code, reason);
    this.outbox.clear();
    this.transport.destroy();
  }

  overflow(): void {
    this.terminate(CLOSE_CODES.SlowConsumer.code, CLOSE_CODES.SlowConsumer.reason);
  }

  dropped(channel: string, count: number): void {
    this.engine.observers.dropped(this, channel, count);
  }

  /** The transport has ended. What this side has said first counts more than what the transport saw. */
  closed(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    if (this.writable) this.#end(code, reason);
    this.#transition('closed');
    this.outbox.abandon();
    this.#throttle?.end();
    for (const reply of this.#pending ?? []) reply.cancel();
    const endedWith = this.#closeCode ?? code;
    this.subscriptions.end(endedWith);
    this.engine.forget(this, endedWith, this.#closeReason);
  }

  /** Reads a message in the form of its peer. Throws a `DecodeError`. */
  decode(message: string | Uint8Array): unknown {
    const parse = this.ours ? undefined : this.endpoint.parse;
    return parse ? parse(message) : this.codec.decode(message);
  }

  /** Takes an answer of the peer. `false` where nobody waits for it. */
  takeAnswer(frame: AckFrame): boolean {
    return this.#requests?.answer(frame) ?? false;
  }

  /** The answer to a request has come, and cannot be taken. */
  refuseAnswer(ack: MessageId, error: ChannelsError): void {
    this.#requests?.refuse(ack, error);
  }

  dispatch(frame: EventFrame): void {
    this.note(frame);
    this.engine.dispatcher.dispatch(this, frame);
  }

  /** What it says about its peer. */
  note({ event }: EventFrame): void {
    // Most are none of our commands, and cost no look-up.
    if (!event.startsWith(RESERVED_EVENT_PREFIX)) this.spoke = true;
    else if (isCommand(event) || !this.isForeign) this.ours = true;
    else this.spoke = true;
  }

  /** Counts one that cannot be read. */
  badFrame(message: string): void {
    this.engine.observers.faulted(this, 'bad_frame');
    if (this.isForeign) {
      this.spoke = true;
      return;
    }
    this.sendException({ code: 'bad_frame', message });
    if (this.ours && this.#faultLog().count(this.engine.clock.now())) {
      this.close(CLOSE_CODES.BadFrame.code, CLOSE_CODES.BadFrame.reason);
    }
  }

  /** Nothing more is sent or handled from here on. */
  #end(code: number, reason: string): void {
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#transition('closing');
    this.#requests?.end();
  }

  #transition(to: ConnectionState): void {
    this.#state = nextState(this.#state, to);
  }

  #handle(message: string | Uint8Array): void {
    const frame = readFrame(this, message);
    if (frame) this.dispatch(frame);
  }

  #wait(message: string | Uint8Array): boolean {
    this.#waiting ??= [];
    this.#waiting.push(message);
    return this.#waiting.length >= this.engine.options.maxInFlight;
  }

  #faultLog(): FaultLog {
    return (this.#faults ??= new FaultLog());
  }
}

import type {
  AckFrame,
  ChannelPosition,
  EventFrame,
  PublicationFrame,
  WireError,
} from '../protocol/index.js';
import { waitAfter } from './backoff.js';
import type { ChannelGap, SubscribedEvent, UnsubscribedEvent } from './channel-events.js';
import { ChannelRecord, type ChannelPhase } from './channel-record.js';
import { ChannelsClientError, errorOf, type ClientErrorCode } from './client-error.js';
import type { ResolvedClientOptions } from './client-options.js';
import { PublicationIterator } from './publication-iterator.js';
import type { Reporter } from './reporter.js';
import { isRecord, readError } from './server-frame.js';

/** What a channel needs of the client that it belongs to. */
export interface ChannelPort {
  /** Something needs the server. Returns why it cannot be had any more. */
  need(): ChannelsClientError | undefined;
  /** The connection that commands go by. */
  readonly connection: unknown;
  /** Sends a command; `answered` is called with its ack, unless the connection ends first. */
  command(event: string, data: object, answered: (ack: AckFrame) => void): void;
}

/**
 * The channels of one client: what the application wants, what the server has confirmed, and one
 * command at a time to bring the second to the first.
 */
export class ChannelTable {
  readonly #options: ResolvedClientOptions;
  readonly #port: ChannelPort;
  readonly #reporter: Reporter;
  readonly #records = new Map<string, ChannelRecord>();
  #isOpen = false;

  constructor(options: ResolvedClientOptions, port: ChannelPort, reporter: Reporter) {
    this.#options = options;
    this.#port = port;
    this.#reporter = reporter;
  }

  on(name: string, event: string, listener: (...args: never[]) => void): () => void {
    const record = this.use(name);
    const remove = record.listeners.add(event, listener);
    this.#want(record);
    return () => {
      remove();
      this.#settle(record);
    };
  }

  iterate(name: string): PublicationIterator {
    const record = this.use(name);
    const iterator = new PublicationIterator(this.#options.maxBuffered, (ended) => {
      record.iterators.delete(ended);
      this.#settle(record);
    });
    record.iterators.add(iterator);
    this.#want(record);
    return iterator;
  }

  subscribe(name: string): Promise<unknown> {
    const record = this.use(name);
    return new Promise((resolve, reject) => {
      record.joins.push({ resolve, reject });
      record.held = true;
      record.refused = false;
      this.#want(record);
    });
  }

  presence(name: string): Promise<unknown> {
    const record = this.use(name);
    return new Promise((resolve, reject) => {
      record.looks.push({ resolve, reject });
      this.#want(record);
    });
  }

  unsubscribe(name: string): void {
    const record = this.#records.get(name);
    if (!record) return;
    record.listeners.clear();
    record.held = record.byServer = record.refused = false;
    if (record.phase !== 'in') record.forget();
    record.rejectCalls(new ChannelsClientError('not_subscribed', 'unsubscribe() came first.'));
    record.endLoops();
    this.#settle(record);
  }

  /** The record of a channel; it goes when nothing needs it any more. */
  use(name: string): ChannelRecord {
    let record = this.#records.get(name);
    if (!record) {
      record = new ChannelRecord(name, this.#reporter.listenerFailed);
      this.#records.set(name, record);
    }
    return record;
  }

  /** Whether a call of `subscribe()` or `presence()` waits. */
  get isAwaited(): boolean {
    return [...this.#records.values()].some((record) => record.isAwaited);
  }

  open(): void {
    this.#isOpen = true;
    for (const record of this.#records.values()) this.#settleNow(record);
  }

  /** Whether something is joined by this connection only, or asked of it. */
  needs(connection: unknown): boolean {
    return [...this.#records.values()].some(
      ({ phase, askedBy, joinedBy }) =>
        phase !== 'out' && (askedBy === connection || joinedBy === connection),
    );
  }

  /**
   * The connection is over, and with it every subscription.
   *
   * @param only - it is this one, and another one has taken over: what is joined or asked there stays
   */
  pause(only?: unknown): void {
    this.#isOpen = only !== undefined;
    for (const record of this.#records.values()) {
      const isLeft = record.joinedBy === only;
      if (only && record.askedBy !== only && !(isLeft && record.phase === 'in')) {
        record.missed ||= isLeft;
        // The answer may have gone with it.
        record.looking = false;
        this.#settle(record);
        continue;
      }
      // Who has left does not go on from there, whether the server has heard of it or not.
      if (record.phase === 'leaving') record.forget();
      record.missed ||= record.phase === 'in' || record.rejoins;
      record.rejoins = record.looking = record.asksAgain = false;
      record.phase = 'out';
      this.#options.clock.clearTimer(record.retryTimer);
      record.retryTimer = undefined;
      this.#settle(record);
    }
  }

  /** Somebody else is logged in: what was refused may be allowed now, and what was missed was another's. */
  forget(): void {
    for (const record of this.#records.values()) {
      record.refused = false;
      record.forget();
    }
  }

  rejectCalls(error: ChannelsClientError): void {
    for (const record of this.#records.values()) record.rejectCalls(error);
  }

  /** @param error - what calls reject with; loops end with it unless the application has closed the client */
  close(error: ChannelsClientError, byApplication: boolean): void {
    this.rejectCalls(error);
    for (const record of this.#records.values()) record.endLoops(byApplication ? undefined : error);
  }

  receive({ event, data }: EventFrame, by: unknown): void {
    if (!isRecord(data)) return;
    const record = this.use(String(data['channel']));
    if (event === '$subscribed') this.#joinedByServer(record, data, by);
    else if (record.joinedBy !== by) return;
    if (event === '$unsubscribed') this.#endedByServer(record, data);
    // Until the ack of a join, the ack tells what holds, but not of what has no position; who is out is told when it
    // is in again.
    if (event === '$gap' && record.phase === 'in') {
      record.position = readPosition(data);
      this.#gap(record, 'lost');
    } else if (event === '$gap') record.lost ||= record.rejoins;
    this.#settle(record);
  }

  publish(publication: PublicationFrame, by: unknown): void {
    const { channel, event, data, offset, dropped = 0 } = publication;
    const record = this.#records.get(channel);
    // A client may be told of a channel that it has just left.
    if (!record || record.joinedBy !== by || record.phase === 'out' || record.phase === 'leaving') return;
    if (event.startsWith('$') && event !== '$join' && event !== '$leave') return;
    if (!this.#follows(record, offset, dropped)) return;
    if (dropped) record.listeners.emit('$dropped', dropped);
    record.listeners.emit(event, data, publication);
    if (event.startsWith('$')) return;
    for (const iterator of record.iterators) iterator.push(publication);
  }

  /** Whether it is the next one. Behind a hole the channel is joined again, from before it. */
  #follows(record: ChannelRecord, offset: number | undefined, dropped: number): boolean {
    const { position, phase } = record;
    // Who is not in yet gets nothing, also where the server has joined it meanwhile.
    if (phase === 'joining' && !record.rejoins) return false;
    if (offset === undefined || !position) return true;
    if (offset <= position.offset) return false;
    const isNext = offset - dropped === position.offset + 1;
    if (!isNext && !record.byServer) {
      if (phase === 'joining' || record.retryTimer) return false;
      record.missed = true;
      this.#join(record);
      return false;
    }
    record.position = { epoch: position.epoch, offset };
    if (!isNext) this.#gap(record, 'lost');
    return true;
  }

  #want(record: ChannelRecord): void {
    if (record.isWanted || record.isHeard) this.#refuse(record, this.#port.need());
    this.#settle(record);
  }

  #refuse(record: ChannelRecord, error: ChannelsClientError | undefined): void {
    if (!error) return;
    record.rejectCalls(error);
    record.endLoops(error);
  }

  /** At the end of the turn, so that a listener that goes and comes again costs nothing. */
  #settle(record: ChannelRecord): void {
    queueMicrotask(() => this.#settleNow(record));
  }

  #settleNow(record: ChannelRecord): void {
    // One that has gone may have a successor of the same name.
    if (this.#records.get(record.name) !== record) return;
    if (record.isIdle) {
      this.#records.delete(record.name);
      this.#options.clock.clearTimer(record.retryTimer);
    }
    const { phase } = record;
    // Who has left does not go on from there, whether the server has heard of it or not.
    if (phase === 'out' && record.joinsByItself && !record.isWanted && !record.byServer) record.forget();
    if (!this.#isOpen || record.retryTimer) return;
    // The server joins those by itself, on the new connection as well.
    const isElsewhere = record.joinedBy !== this.#port.connection;
    const isLeft = isElsewhere && !record.byServer;
    const isAsked = phase === 'out' || (phase === 'in' && (isLeft || record.joins.length > 0));
    if (record.isWanted && isAsked) this.#join(record);
    else if (!record.isWanted && !record.byServer && phase === 'in') this.#leave(record);
    else if (phase === 'in' && !isElsewhere && record.looks.length > 0 && !record.looking) this.#look(record);
  }

  #look(record: ChannelRecord): void {
    record.looking = true;
    this.#port.command('$presence', { channel: record.name }, ({ data, error }) => {
      record.looking = false;
      // Of a channel that is joined again the answer is out of date.
      const looks = record.phase === 'in' ? record.looks.splice(0) : [];
      for (const { resolve, reject } of looks) {
        if (error === undefined) resolve(data);
        else reject(errorOf(readError(error)));
      }
      this.#settle(record);
    });
  }

  #join(record: ChannelRecord): void {
    const { name, params, phase } = record;
    const by = this.#port.connection;
    record.rejoins = phase === 'in';
    record.phase = 'joining';
    record.askedBy = by;
    // Without a position the connection before counts until the ack, and nothing is missed.
    record.missed ||= record.rejoins && record.joinedBy !== by && record.position !== undefined;
    // A call of subscribe() wants the state of now.
    const since = record.joins.length > 0 && !record.missed ? undefined : record.position;
    this.#port.command('$subscribe', { channel: name, params, since }, ({ data, error }) => {
      if (error === undefined) this.#joined(record, isRecord(data) ? data : {}, by, since);
      else this.#refused(record, error, phase, by);
    });
  }

  #joined(
    record: ChannelRecord,
    ack: Record<string, unknown>,
    by: unknown,
    since: ChannelPosition | undefined,
  ): void {
    const { position } = record;
    const next = readPosition(ack);
    // By the connection before it has got further than where it has asked from, or it has left meanwhile.
    const hasMoved = since !== undefined && since !== position;
    const isSame = hasMoved && position && next?.epoch === position.epoch;
    const isWithin = isSame && since.offset <= next.offset && next.offset <= position.offset;
    const recovered = ack['recovered'] === true || isWithin === true;
    // It goes on from where it is; once, since a channel may be faster than what it keeps.
    if (hasMoved && record.isWanted && !(position && (recovered || record.asksAgain))) {
      record.asksAgain = position !== undefined;
      record.phase = position ? 'in' : 'out';
      this.#join(record);
      return;
    }
    record.joinedBy = by;
    const joins = record.joins.splice(0);
    // What has come meanwhile comes again, and is known.
    if (!(hasMoved && recovered)) record.position = next;
    this.#enter(record, { data: ack['data'], recovered, by: 'client' });
    for (const join of joins) join.resolve(ack['data']);
    this.#settle(record);
  }

  #enter(record: ChannelRecord, told: SubscribedEvent): void {
    const isGap = record.missed && !told.recovered;
    const isLost = record.lost;
    record.phase = 'in';
    record.rejoins = false;
    record.byServer = told.by === 'server';
    record.missed = record.lost = false;
    record.refusals = 0;
    record.asksAgain = false;
    if (isGap) this.#gap(record, 'rejoined');
    else if (isLost) this.#gap(record, 'lost');
    record.listeners.emit('$subscribed', told);
  }

  #refused(record: ChannelRecord, answer: unknown, before: ChannelPhase, by: unknown): void {
    const refusal = readError(answer);
    record.rejoins = false;
    // A refusal ends the subscription that there was, unless another connection has it.
    record.phase = refusal.retryable && record.joinedBy !== by ? before : 'out';
    record.missed ||= record.phase !== before;
    if (refusal.retryable) {
      this.#retryLater(record, refusal);
      return;
    }
    record.refused = true;
    record.held = false;
    record.position = undefined;
    const error = errorOf(refusal);
    const isToldByCall = record.joins.length > 0;
    this.#refuse(record, error);
    record.listeners.emit('$error', error);
    if (!isToldByCall) this.#reporter.tell('$error', error);
    this.#settle(record);
  }

  #retryLater(record: ChannelRecord, error: WireError): void {
    const delayMs = waitAfter(error, ++record.refusals, this.#options);
    record.retryTimer = this.#options.clock.setTimeout(() => {
      record.retryTimer = undefined;
      this.#settle(record);
    }, delayMs);
  }

  #leave(record: ChannelRecord): void {
    record.phase = 'leaving';
    this.#port.command('$unsubscribe', { channel: record.name }, ({ error }) => {
      // It is still joined where the server had no time for this; else it is out, whoever has ended it.
      record.phase = error?.retryable ? 'in' : 'out';
      if (error?.retryable) {
        this.#retryLater(record, error);
        return;
      }
      record.position = undefined;
      this.#settle(record);
    });
  }

  #joinedByServer(record: ChannelRecord, told: Record<string, unknown>, by: unknown): void {
    const { position, phase, byServer, joinedBy } = record;
    const isElsewhere = phase === 'in' && byServer && joinedBy !== by;
    if (phase !== 'out' && !isElsewhere) return;
    record.missed ||= isElsewhere && position !== undefined;
    record.joinedBy = record.askedBy = by;
    record.position = readPosition(told);
    const recovered = position?.epoch === told['epoch'] && position?.offset === told['offset'];
    this.#enter(record, { data: undefined, recovered: position !== undefined && recovered, by: 'server' });
  }

  #endedByServer(record: ChannelRecord, told: UnsubscribedEvent): void {
    // The ack of a command that is under way tells what holds after it.
    if (record.phase !== 'in') return;
    record.phase = 'out';
    record.held = record.byServer = false;
    record.refused = true;
    record.position = undefined;
    record.listeners.emit('$unsubscribed', told);
    const { code = 'not_subscribed', reason = 'The server has left it.' } = told;
    record.endLoops(new ChannelsClientError(code as ClientErrorCode, reason));
  }

  #gap(record: ChannelRecord, reason: ChannelGap['reason']): void {
    const gap: ChannelGap = { channel: record.name, reason };
    record.listeners.emit('$gap', gap);
    this.#reporter.emit('$gap', gap);
  }
}

function readPosition({ epoch, offset }: Record<string, unknown>): ChannelPosition | undefined {
  return typeof epoch === 'string' && typeof offset === 'number' ? { epoch, offset } : undefined;
}

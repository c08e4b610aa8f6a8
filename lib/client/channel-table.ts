import type { AckFrame, EventFrame, PublicationFrame } from '../protocol/index.js';
import { longestWait } from './backoff.js';
import { ChannelRecord, type ChannelPhase } from './channel-record.js';
import { ChannelsClientError, type ClientErrorCode } from './client-error.js';
import type { ResolvedClientOptions } from './client-options.js';
import { PublicationIterator } from './publication-iterator.js';
import { asDelay, isRecord, readError } from './server-frame.js';

/** What a channel needs of the client that it belongs to. */
export interface ChannelPort {
  /** Something needs the server. */
  need(): void;
  /** Sends a command; `answered` is called with its ack, unless the connection ends first. */
  command(event: string, data: object, answered: (ack: AckFrame) => void): void;
  /** A listener of the application threw. */
  listenerFailed(cause: unknown): void;
  failed(error: ChannelsClientError): void;
  gap(gap: ChannelGap): void;
}

/**
 * Publications may have been missed: reload the state of the channel.
 *
 * @publicApi
 */
export interface ChannelGap {
  readonly channel: string;
  /** `rejoined` after a reconnect that could not recover, `lost` where the server says so. */
  readonly reason: 'rejoined' | 'lost';
}

/** @publicApi */
export interface SubscribedEvent<Data = unknown> {
  /** What the `@SubscribeChannel` method returned; `undefined` where the server has joined. */
  readonly data: Data;
  /** All that was missed follows. */
  readonly recovered: boolean;
  readonly by: 'client' | 'server';
}

/** @publicApi */
export interface UnsubscribedEvent {
  readonly code?: string;
  readonly reason?: string;
}

/**
 * The channels of one client: what the application wants, what the server has confirmed, and one
 * command at a time to bring the second to the first.
 */
export class ChannelTable {
  readonly #records = new Map<string, ChannelRecord>();
  #unsettled: Set<ChannelRecord> | undefined;
  #isOpen = false;

  constructor(
    private readonly options: ResolvedClientOptions,
    private readonly port: ChannelPort,
  ) {}

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
    const iterator = new PublicationIterator(this.options.maxBuffered, (ended) => {
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

  unsubscribe(name: string): void {
    const record = this.#records.get(name);
    if (!record) return;
    record.listeners.clear();
    record.held = record.byServer = false;
    this.#rejectJoins(
      record,
      new ChannelsClientError('not_subscribed', `${name} was left before it was joined.`),
    );
    for (const iterator of [...record.iterators]) iterator.end();
    this.#settle(record);
  }

  /** The record of a channel; it goes when nothing needs it any more. */
  use(name: string): ChannelRecord {
    let record = this.#records.get(name);
    if (!record) {
      record = new ChannelRecord(name, (cause) => this.port.listenerFailed(cause));
      this.#records.set(name, record);
    }
    return record;
  }

  open(): void {
    this.#isOpen = true;
    for (const record of this.#records.values()) this.#settleNow(record);
  }

  /** The connection is over, and with it every subscription. */
  pause(): void {
    this.#isOpen = false;
    for (const record of this.#records.values()) {
      record.missed ||= record.phase === 'in';
      record.phase = 'out';
      this.#stopRetry(record);
      this.#settle(record);
    }
  }

  /** Somebody else is logged in: what was refused may be allowed now, and what was missed was another's. */
  forget(): void {
    for (const record of this.#records.values()) record.refused = record.missed = false;
  }

  /** @param error - what calls reject with; loops end with it unless the application has closed the client */
  close(error: ChannelsClientError, byApplication: boolean): void {
    for (const record of this.#records.values()) {
      this.#rejectJoins(record, error);
      for (const iterator of [...record.iterators]) iterator.end(byApplication ? undefined : error);
    }
  }

  /** @returns whether the frame is about a channel */
  receive({ event, data }: EventFrame): boolean {
    if (!isRecord(data) || typeof data['channel'] !== 'string') return false;
    const { channel, code, reason } = data as { channel: string; code?: string; reason?: string };
    switch (event) {
      case '$subscribed':
        this.#joinedByServer(this.use(channel));
        return true;
      case '$unsubscribed':
        this.#endedByServer(this.use(channel), { code, reason });
        return true;
      case '$gap':
        this.#gap(this.use(channel), 'lost');
        return true;
      default:
        return false;
    }
  }

  publish(publication: PublicationFrame): void {
    const { channel, event, data } = publication;
    const record = this.#records.get(channel);
    // A client may be told of a channel that it has just left.
    if (!record || record.phase === 'out' || record.phase === 'leaving') return;
    if (event.startsWith('$') && event !== '$join' && event !== '$leave') return;
    record.listeners.emit(event, data, publication);
    for (const iterator of [...record.iterators]) iterator.push(publication);
  }

  #want(record: ChannelRecord): void {
    if (record.isWanted) this.port.need();
    this.#settle(record);
  }

  /** At the end of the turn, so that a listener that goes and comes again costs nothing. */
  #settle(record: ChannelRecord): void {
    if (!this.#unsettled) {
      const records = (this.#unsettled = new Set());
      void Promise.resolve().then(() => {
        this.#unsettled = undefined;
        for (const unsettled of records) this.#settleNow(unsettled);
      });
    }
    this.#unsettled.add(record);
  }

  #settleNow(record: ChannelRecord): void {
    if (record.isIdle) this.#records.delete(record.name);
    if (!this.#isOpen || record.retryTimer) return;
    const { phase } = record;
    const isAsked = phase === 'out' || (phase === 'in' && record.joins.length > 0);
    if (record.isWanted && isAsked) this.#join(record);
    else if (!record.isWanted && !record.byServer && phase === 'in') this.#leave(record);
  }

  #join(record: ChannelRecord): void {
    const { name, params, phase } = record;
    record.phase = 'joining';
    this.port.command('$subscribe', { channel: name, params }, ({ data, error }) => {
      if (error === undefined) this.#joined(record, isRecord(data) ? data : {});
      else this.#refused(record, error, phase);
    });
  }

  #joined(record: ChannelRecord, { data, recovered }: Record<string, unknown>): void {
    const isRecovered = recovered === true;
    const isGap = record.missed && !isRecovered;
    record.phase = 'in';
    record.byServer = record.missed = false;
    record.refusals = 0;
    const joins = record.joins.splice(0);
    if (isGap) this.#gap(record, 'rejoined');
    this.#tell(record, '$subscribed', {
      data,
      recovered: isRecovered,
      by: 'client',
    } satisfies SubscribedEvent);
    for (const join of joins) join.resolve(data);
    this.#settle(record);
  }

  #refused(record: ChannelRecord, answer: unknown, before: ChannelPhase): void {
    const { retryable, retryAfterMs, ...rest } = readError(answer);
    // A refusal ends the subscription that there was.
    record.missed ||= before === 'in';
    record.phase = 'out';
    if (retryable) {
      this.#retryLater(record, retryAfterMs);
      return;
    }
    record.refused = true;
    record.held = false;
    const error = ChannelsClientError.fromWire(rest);
    const isToldByCall = record.joins.length > 0;
    this.#rejectJoins(record, error);
    for (const iterator of [...record.iterators]) iterator.end(error);
    if (record.listeners.has('$error')) this.#tell(record, '$error', error);
    else if (!isToldByCall) this.port.failed(error);
    this.#settle(record);
  }

  #retryLater(record: ChannelRecord, retryAfterMs: unknown): void {
    const { clock, random } = this.options;
    record.refusals++;
    const delayMs = asDelay(retryAfterMs) ?? random.next() * longestWait(record.refusals, this.options);
    record.retryTimer = clock.setTimeout(() => {
      record.retryTimer = undefined;
      this.#settle(record);
    }, delayMs);
  }

  #leave(record: ChannelRecord): void {
    record.phase = 'leaving';
    this.port.command('$unsubscribe', { channel: record.name }, ({ error }) => {
      const refusal = error === undefined ? undefined : readError(error);
      // It is still joined when the server had no time for this; otherwise it is out, whoever has ended it.
      record.phase = refusal?.retryable ? 'in' : 'out';
      if (refusal?.retryable) this.#retryLater(record, refusal.retryAfterMs);
      else this.#settle(record);
    });
  }

  #joinedByServer(record: ChannelRecord): void {
    if (record.phase !== 'out') return;
    record.phase = 'in';
    record.byServer = true;
    record.missed = false;
    this.#tell(record, '$subscribed', {
      data: undefined,
      recovered: false,
      by: 'server',
    } satisfies SubscribedEvent);
  }

  #endedByServer(record: ChannelRecord, { code, reason }: UnsubscribedEvent): void {
    record.phase = 'out';
    record.held = record.byServer = false;
    record.refused = true;
    this.#tell(record, '$unsubscribed', { code, reason } satisfies UnsubscribedEvent);
    const error = new ChannelsClientError(
      (code ?? 'not_subscribed') as ClientErrorCode,
      reason ?? `The server has ended the subscription to ${record.name}.`,
    );
    for (const iterator of [...record.iterators]) iterator.end(error);
    this.#settle(record);
  }

  #gap(record: ChannelRecord, reason: ChannelGap['reason']): void {
    const gap: ChannelGap = { channel: record.name, reason };
    this.#tell(record, '$gap', gap);
    this.port.gap(gap);
  }

  #tell(record: ChannelRecord, event: string, told: unknown): void {
    record.listeners.emit(event, told);
  }

  #rejectJoins(record: ChannelRecord, error: ChannelsClientError): void {
    for (const join of record.joins.splice(0)) join.reject(error);
  }

  #stopRetry(record: ChannelRecord): void {
    if (record.retryTimer) this.options.clock.clearTimer(record.retryTimer);
    record.retryTimer = undefined;
  }
}

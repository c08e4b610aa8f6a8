import { DecodeError } from '../codec/index.js';
import {
  CLOSE_CODES,
  ERROR_CODES,
  parseClientFrame,
  type ClientFrame,
  type MessageId,
  type WireError,
} from '../protocol/index.js';
import type { Connection } from './connection.js';
import { isKeepAlive } from './keep-alive.js';
import type { ResolvedOptions } from './options.js';
import { REFRESH_INTERVAL_MS } from './refresh-command.js';
import { Strikes } from './strikes.js';
import { TokenBucket, type Rate } from './token-bucket.js';

/** The rates of every connection. One that is off is not there. */
export interface ConnectionRates {
  readonly messages: Rate | undefined;
  readonly bytes: Rate | undefined;
  readonly subscriptions: Rate | undefined;
}

export function connectionRates(options: ResolvedOptions): ConnectionRates {
  return {
    messages: perSecond(options.messagesPerSecond, options.messageBurst),
    bytes: perSecond(options.bytesPerSecond, options.byteBurst),
    subscriptions: perSecond(options.subscriptionsPerSecond, options.maxChannelsPerConnection),
  };
}

type RateFault = 'message_rate' | 'byte_rate' | 'subscription_rate';

const TEXTS: Readonly<Record<RateFault, string>> = {
  message_rate: 'too many messages',
  byte_rate: 'too many bytes',
  subscription_rate: 'too many channels are joined in too short a time',
};

/** Measures what one peer sends against its rates, and sees to it that more than that does not harm. */
export class Throttle {
  readonly #messages: TokenBucket | undefined;
  readonly #bytes: TokenBucket | undefined;
  readonly #subscriptions: TokenBucket | undefined;

  /** What was refused is to come again by then; who has waited for so long begins anew. */
  #waitsUntil = -Infinity;
  #refused = { messages: 0, bytes: 0, subscriptions: 0 };
  #strikes: Strikes | undefined;
  /** When the next `$refresh` may pass by the rates. */
  #refreshAfter = -Infinity;
  /** The peer was told to go: what it has sent until it is gone is left aside. */
  #isOver = false;

  constructor(private readonly connection: Connection) {
    const { rates, leftBuckets } = connection.engine;
    const { now } = this;
    const left = leftBuckets.take(connection.principal);
    this.#messages = left?.messages ?? (rates.messages && new TokenBucket(rates.messages, now));
    this.#bytes = left?.bytes ?? (rates.bytes && new TokenBucket(rates.bytes, now));
    this.#subscriptions = rates.subscriptions && new TokenBucket(rates.subscriptions, now);
  }

  /**
   * Counts a message, or a ping or pong below the protocol, where there is a rate. `false` where it is over one: then it
   * has cost nothing.
   */
  passes(byteLength: number): boolean {
    if (!this.#messages && !this.#bytes) return true;
    const { now } = this;
    if (this.#messages?.has(1, now) === false || this.#bytes?.has(byteLength, now) === false) return false;
    this.#take(byteLength);
    return true;
  }

  /** Whether messages were taken on that the rates have no room for yet. */
  get owes(): boolean {
    const { now } = this;
    return (this.#messages?.owes(now) ?? false) || (this.#bytes?.owes(now) ?? false);
  }

  /**
   * A message that does not pass. An answer passes all the same, and so does a `$refresh` a second; what may wait in
   * the lane waits there, on credit: `maxInFlight` bounds it. Anything else is refused.
   */
  receive(message: string | Uint8Array, byteLength: number): void {
    const { connection } = this;
    if (this.#isOver) return;
    const { frame, isSafe } = this.#read(message);
    if (frame && !('event' in frame)) {
      if (isSafe && connection.takeAnswer(frame)) return;
    } else if (frame && isSafe && this.#mayRefresh(frame)) {
      this.#take(byteLength);
      connection.dispatch(frame);
      return;
    } else if (frame && isSafe && this.#mayWait(frame)) {
      this.#take(byteLength);
      connection.park();
      connection.dispatch(frame);
      return;
    }
    const error = this.refuse(byteLength);
    if (connection.writable && !isKeepAlive(frame ?? message)) this.#tell(frame, error);
  }

  /** Counts something that does not pass. The connection may be over then. */
  refuse(byteLength: number): WireError {
    const { now } = this;
    this.#beginAnew(now);
    const isMessages = this.#messages?.has(1, now) === false;
    const waits = [
      this.#messages?.msUntil((this.#refused.messages += 1), now) ?? 0,
      this.#bytes?.msUntil((this.#refused.bytes += byteLength), now) ?? 0,
    ];
    return this.#refuse(isMessages ? 'message_rate' : 'byte_rate', Math.max(...waits), now);
  }

  /** Counts a `$subscribe`. The error where it is over the rate. */
  subscribe(): WireError | undefined {
    const { now } = this;
    if (this.#subscriptions?.has(1, now) !== false) {
      this.#subscriptions?.take(1);
      return undefined;
    }
    this.#beginAnew(now);
    const waitMs = this.#subscriptions.msUntil((this.#refused.subscriptions += 1), now);
    return this.#refuse('subscription_rate', waitMs, now);
  }

  /** The connection has ended. What was joined is joined again by the next one: that it may do as ever. */
  end(): void {
    const { engine, principal } = this.connection;
    engine.leftBuckets.leave(principal, { messages: this.#messages, bytes: this.#bytes }, this.now);
  }

  get now(): number {
    return this.connection.engine.clock.now();
  }

  #take(byteLength: number): void {
    this.#messages?.take(1);
    this.#bytes?.take(byteLength);
  }

  #beginAnew(now: number): void {
    if (now >= this.#waitsUntil) this.#refused = { messages: 0, bytes: 0, subscriptions: 0 };
  }

  #refuse(fault: RateFault, retryAfterMs: number, now: number): WireError {
    const { connection } = this;
    const { observers, options } = connection.engine;
    this.#waitsUntil = Math.max(this.#waitsUntil, now + retryAfterMs);
    observers.faulted(connection, fault);
    const { messages, bytes, subscriptions } = this.#refused;
    // Who has been told to wait may have had so much on its way already.
    const isForgiven = messages + subscriptions <= options.maxInFlight + options.maxChannelsPerConnection;
    if (!isForgiven || bytes > options.byteBurst) this.#strike(now);
    const { retryable } = ERROR_CODES.rate_limited;
    return { code: 'rate_limited', message: TEXTS[fault], retryable, retryAfterMs };
  }

  #strike(now: number): void {
    const { connection } = this;
    const { maxRefusals, refusalWindowMs } = connection.engine.options;
    this.#strikes ??= new Strikes(maxRefusals, refusalWindowMs);
    if (!this.#strikes.count(now)) return;
    const { code, reason } = CLOSE_CODES.TooManyRequests;
    this.#isOver = true;
    // Closed for another reason, it has not stopped.
    if (!connection.writable) connection.terminate(code, reason);
    else connection.expel(code, JSON.stringify({ retryAfterMs: this.#msUntilFull(now) }));
  }

  /** A connection that is made anew begins with all that it can have, and should not have it earlier. */
  #msUntilFull(now: number): number {
    const { rates } = this.connection.engine;
    return Math.max(
      this.#messages?.msUntil(rates.messages?.burst ?? 0, now) ?? 0,
      this.#bytes?.msUntil(rates.bytes?.burst ?? 0, now) ?? 0,
      this.#subscriptions?.msUntil(rates.subscriptions?.burst ?? 0, now) ?? 0,
    );
  }

  /** No session ends for what else was sent. Who brings more than that has not stopped. */
  #mayRefresh({ event }: { readonly event: string }): boolean {
    const { now } = this;
    if (event !== '$refresh' || this.connection.state !== 'open' || now < this.#refreshAfter) return false;
    this.#refreshAfter = now + REFRESH_INTERVAL_MS;
    return true;
  }

  #mayWait({ event, id }: ClientFrame & { readonly event: string; readonly id?: MessageId }): boolean {
    const { connection } = this;
    const { closing, options } = connection.engine;
    const handler = connection.endpoint.handlers.get(event)?.[0];
    if (!connection.ours || connection.state !== 'open' || closing) return false;
    if (!handler?.acked || handler.concurrent) return false;
    return (id === undefined ? connection.lane.waiting : connection.inFlight) < options.maxInFlight;
  }

  /** As far as it can be read: who waits for an answer is to have one. */
  #read(message: string | Uint8Array): { readonly frame?: ClientFrame; readonly isSafe: boolean } {
    let isSafe = true;
    let value: unknown;
    try {
      value = this.connection.decode(message);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      isSafe = false;
      value = error.value;
    }
    const frame = parseClientFrame(value);
    return typeof frame === 'string' ? { isSafe: false } : { frame, isSafe };
  }

  #tell(frame: ClientFrame | undefined, error: WireError): void {
    const { connection } = this;
    const isEvent = frame !== undefined && 'event' in frame;
    if (isEvent) connection.note(frame);
    const id = isEvent ? connection.idOf(frame) : undefined;
    if (id !== undefined) connection.sendError(id, error);
    else if (!connection.isForeign || (isEvent && connection.endpoint.handlers.has(frame.event)))
      connection.sendException(error);
  }
}

function perSecond(points: number, burst: number): Rate | undefined {
  return points === 0 ? undefined : { points, perMs: 1_000, burst };
}

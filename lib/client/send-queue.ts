import type { AckFrame } from '../protocol/index.js';
import { waitAfter } from './backoff.js';
import { ChannelsClientError, errorOf } from './client-error.js';
import type { ResolvedClientOptions } from './client-options.js';
import { encodeFrame, refusalOf } from './frame-text.js';
import { watch, type PendingSend, type SendOptions, type Settling } from './pending-send.js';
import { QueueKeeper } from './queue-keeper.js';
import type { StoredMessage } from './queue-storage.interface.js';
import type { Reporter } from './reporter.js';
import { readError } from './server-frame.js';

/** The dedup window ends this much earlier for a client, in milliseconds: docs/protocol.md, section 6.4. */
const WINDOW_MARGIN_MS = 30_000;

/** When to look again at a socket that takes nothing more, in milliseconds. */
const BACKLOG_RETRY_MS = 1_000;

/** The messages that have no answer yet: those that wait to be sent, and those that are in flight. */
export class SendQueue {
  /** The identity under which all of them are sent. */
  clientId: string;
  readonly #options: ResolvedClientOptions;
  /** Whether a socket has taken the frame, behind no more than so many bytes. */
  readonly #write: (text: string, maxBuffered: number) => boolean;
  readonly #reporter: Reporter;
  /** Something may have settled. */
  readonly #pumped: () => void;
  /** In the order of the calls. */
  readonly #messages = new Map<string, PendingSend>();
  readonly #isPlain: boolean;
  readonly #keeper: QueueKeeper;
  #principal: string | undefined;
  /** What the storage has is not for whoever comes now. */
  #givenUp: ChannelsClientError | undefined;
  #isOpen = false;
  #limits: Readonly<Record<string, number>> = {};
  #bytes = 0;
  #timesAt = 0;
  #timer: unknown;

  constructor(
    options: ResolvedClientOptions,
    write: (text: string, maxBuffered: number) => boolean,
    reporter: Reporter,
    pumped: () => void,
  ) {
    this.#options = options;
    this.#write = write;
    this.#reporter = reporter;
    this.#pumped = pumped;
    this.#isPlain = options.server === 'plain';
    this.#keeper = new QueueKeeper(options.storage, reporter);
    this.clientId = options.random.id();
  }

  /** Who the server took this client for when it was last open; what is queued now is theirs. */
  get principal(): string | undefined {
    return this.#principal;
  }

  get isEmpty(): boolean {
    return this.#messages.size === 0;
  }

  /** Whether something is in flight on a connection from which another one has taken over. */
  get isMoving(): boolean {
    return [...this.#messages.values()].some(({ isElsewhere }) => isElsewhere);
  }

  add(event: string, data: unknown, options: SendOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted) throw options.signal.reason;
      const message = this.#enqueue(event, data, options, { resolve, reject });
      this.#pump();
      // One that was sent has been saved with that.
      if (message.firstSentAt === undefined) this.#save(message);
    });
  }

  /** Puts what a former page has left in front, once. */
  restore(): Promise<void> | undefined {
    return this.#keeper.open((stored) => {
      const frames = stored.map(({ text }) => JSON.parse(text) as SentFrame);
      const { clientId } = this;
      const queued = [...this.#messages.values()];
      this.#messages.clear();
      for (const [at, message] of stored.entries()) this.#restore(message, frames[at] as SentFrame);
      if (this.#givenUp) {
        for (const message of this.#messages.values()) this.#take(message).reject(this.#givenUp);
        this.clientId = clientId;
        this.#givenUp = undefined;
      }
      for (const message of queued) {
        this.#messages.set(message.id, message);
        this.#save(message);
      }
    });
  }

  /** The server has said who this is. What belongs to somebody else rejects. */
  claim(principal: string | undefined, error: ChannelsClientError): void {
    this.#principal = principal;
    for (const message of this.#messages.values()) {
      if (message.principal === undefined) {
        message.principal = principal;
        this.#save(message);
      } else if (message.principal !== principal) this.#take(message).reject(error);
    }
  }

  /** Sends what waits. What is too large for this server rejects. */
  open(limits: Readonly<Record<string, number>>): void {
    this.#isOpen = true;
    this.#limits = limits;
    for (const message of this.#messages.values()) {
      const refusal = refusalOf(message.frame, limits);
      if (refusal && !message.isInFlight) this.#take(message).reject(refusal);
    }
    this.#pump();
  }

  /** Another connection has taken over: what is in flight settles on the one before. */
  move(limits: Readonly<Record<string, number>>): void {
    for (const message of this.#messages.values()) message.isElsewhere = message.isInFlight;
    this.open(limits);
  }

  /** The connection before is over: what was in flight there waits again, in its place. */
  moved(): void {
    for (const message of this.#messages.values()) {
      if (message.isElsewhere) message.isElsewhere = message.isInFlight = false;
    }
    this.#pump();
  }

  /** What is in flight waits again, in its place. */
  pause(): void {
    this.#isOpen = false;
    for (const message of this.#messages.values()) message.isElsewhere = message.isInFlight = false;
    this.#options.clock.clearTimer(this.#timer);
  }

  answer({ ack, data, error, more }: AckFrame): void {
    const message = this.#messages.get(String(ack));
    // An ack of what has been settled is late.
    if (!message?.isInFlight) return;
    const refusal = error && readError(error);
    if (refusal?.retryable) {
      message.isElsewhere = message.isInFlight = false;
      message.isLimited = refusal.code === 'rate_limited';
      message.notBefore = this.#options.clock.now() + waitAfter(refusal, ++message.refusals, this.#options);
      // By then it could not be sent any more.
      if (message.isLimited && this.#isTooLate(message, message.notBefore)) {
        this.#take(message).reject(errorOf(refusal));
      }
    } else if (more) {
      message.isStream = true;
      this.#handOut(message, data);
    } else {
      const settling = this.#take(message);
      if (refusal) settling.reject(errorOf(refusal));
      else settling.resolve(data);
      this.#time(message);
    }
    this.#pump();
  }

  /** Tells a server that wants to know, now and then, how long an answer took. */
  #time({ firstSentAt = 0 }: PendingSend): void {
    const now = this.#options.clock.now();
    const intervalMs = this.#limits['timingIntervalMs'];
    if (!intervalMs || now < this.#timesAt) return;
    this.#timesAt = now + intervalMs;
    this.#write(`{"event":"$timing","data":{"ackMs":${now - firstSentAt}}}`, 0);
  }

  /** Nothing is left of who it was: what is sent from here on belongs to whoever comes next. */
  rejectAll(error: ChannelsClientError): void {
    this.#principal = undefined;
    for (const message of this.#messages.values()) this.#take(message).reject(error);
  }

  /** As {@link rejectAll}, and for what is still in the storage as well. */
  reset(error: ChannelsClientError): void {
    if (!this.#keeper.isOpen) this.#givenUp = error;
    this.rejectAll(error);
  }

  /** What was sent under an identity that is given up would run twice under the next one. */
  rejectSent(error: ChannelsClientError): void {
    for (const message of this.#messages.values()) {
      if (message.firstSentAt === undefined) this.#save(message);
      else this.#take(message).reject(error);
    }
  }

  /** Lets go of what is stored. */
  close(): void {
    this.#keeper.close();
  }

  #enqueue(event: string, data: unknown, options: SendOptions, settling: Settling): PendingSend {
    const id = this.#options.random.id();
    const frame = encodeFrame(this.#isPlain ? { event, data } : { event, data, id });
    const refusal = refusalOf(frame, this.#limits) ?? this.#overflow(frame.bytes);
    if (refusal) throw refusal;
    return this.#push(event, { id, frame, principal: this.#principal }, options, settling);
  }

  #push(
    event: string,
    known: Pick<PendingSend, 'id' | 'frame' | 'principal' | 'firstSentAt'>,
    options: SendOptions,
    settling: Settling,
  ): PendingSend {
    const { clock } = this.#options;
    const { onItem, timeoutMs } = options;
    const message: PendingSend = {
      ...settling,
      ...known,
      event,
      onItem,
      deadline: timeoutMs === undefined ? timeoutMs : clock.now() + timeoutMs,
      unwatch: watch(event, options, clock, (reason) => {
        this.#take(message).reject(reason);
        this.#pump();
      }),
      isInFlight: false,
      isElsewhere: false,
      refusals: 0,
      notBefore: 0,
    };
    this.#bytes += message.frame.bytes;
    this.#messages.set(message.id, message);
    return message;
  }

  /** Its promise is gone with its page: the application hears of it by an event. */
  #restore({ id, clientId, principal, sentAgoMs, leftMs }: StoredMessage, frame: SentFrame): void {
    const { event, data } = frame;
    const settle = (end: object): void => this.#reporter.tell('$settled', { id, event, data, ...end });
    const firstSentAt = sentAgoMs === undefined ? sentAgoMs : this.#options.clock.now() - sentAgoMs;
    this.clientId = clientId;
    this.#push(
      event,
      { id, frame: encodeFrame(frame), principal, firstSentAt },
      { timeoutMs: leftMs },
      {
        resolve: (answer) => settle({ answer }),
        reject: (error) =>
          this.#reporter.has('$settled') ? settle({ error }) : this.#reporter.tell('$error', error),
      },
    );
  }

  #save({ id, frame: { text }, principal, firstSentAt, deadline }: PendingSend): void {
    const now = this.#options.clock.now();
    const sentAgoMs = firstSentAt === undefined ? firstSentAt : now - firstSentAt;
    const leftMs = deadline === undefined || deadline === Infinity ? undefined : deadline - now;
    this.#keeper.save({ id, clientId: this.clientId, text, principal, sentAgoMs, leftMs });
  }

  #overflow(bytes: number): ChannelsClientError | undefined {
    const { maxQueue, maxQueueBytes } = this.#options;
    const { size } = this.#messages;
    if (size < maxQueue && this.#bytes + bytes <= maxQueueBytes) return undefined;
    const text = `${size} messages of ${this.#bytes} bytes wait (maxQueue, maxQueueBytes).`;
    return new ChannelsClientError('queue_full', text);
  }

  /** Sends what may be sent, and comes back when the next one may. */
  #pump(): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    if (!this.#isOpen) return;
    const now = clock.now();
    let inFlight = 0;
    let isHeld = false;
    for (const message of this.#messages.values()) {
      inFlight += Number(message.isInFlight);
      // A stream may have no end: nobody waits for it.
      isHeld ||= message.isElsewhere && !message.isStream;
    }
    this.#pumped();
    if (isHeld) return;
    let free = (this.#limits['maxInFlight'] ?? Infinity) - inFlight;
    let nextAt = Infinity;
    const limited = new Set<string>();
    for (const message of this.#messages.values()) {
      if (message.isInFlight) continue;
      if (message.notBefore > now) {
        nextAt = Math.min(nextAt, message.notBefore);
        if (message.isLimited) limited.add(message.event);
      } else if (free <= 0) break;
      // Refused, it would be one of those that the server counts.
      else if (!message.refusals && limited.has(message.event)) continue;
      else if (this.#send(message, now)) free -= Number(message.isInFlight);
      else {
        // The socket is behind, or closing.
        nextAt = now + BACKLOG_RETRY_MS;
        break;
      }
    }
    if (nextAt < Infinity) this.#timer = clock.setTimeout(() => this.#pump(), nextAt - now);
  }

  #send(message: PendingSend, now: number): boolean {
    if (this.#isTooLate(message, now)) {
      const text = 'Too late to send again.';
      this.#take(message).reject(new ChannelsClientError('expired', text));
      return true;
    }
    if (!this.#write(message.frame.text, this.#options.maxQueueBytes)) return false;
    message.isInFlight = !this.#isPlain;
    if (message.firstSentAt === undefined) {
      message.firstSentAt = now;
      this.#save(message);
    }
    if (this.#isPlain) this.#take(message).resolve(undefined);
    return true;
  }

  #isTooLate({ firstSentAt = Infinity }: PendingSend, at: number): boolean {
    return at - firstSentAt > (this.#limits['dedupWindowMs'] ?? Infinity) - WINDOW_MARGIN_MS;
  }

  #handOut(message: PendingSend, item: unknown): void {
    try {
      message.onItem?.(item);
    } catch (cause) {
      this.#reporter.listenerFailed(cause);
    }
  }

  /** Takes a message out; the caller settles it. */
  #take(message: PendingSend): Settling {
    this.#messages.delete(message.id);
    this.#keeper.remove(message.id);
    this.#bytes -= message.frame.bytes;
    message.unwatch();
    return message;
  }
}

/** What stands in the text of a frame. */
interface SentFrame {
  readonly event: string;
  readonly data?: unknown;
}

import type { AckFrame } from '../protocol/index.js';
import { longestWait } from './backoff.js';
import { ChannelsClientError } from './client-error.js';
import { MAX_TIMER_MS, type ResolvedClientOptions } from './client-options.js';
import { encodeFrame, refusalOf } from './frame-text.js';
import { PendingSend, type SendOptions, type Settling } from './pending-send.js';
import { asDelay, readError } from './server-frame.js';

export interface QueuePort {
  /** Whether a socket has taken the frame. */
  write(text: string): boolean;
  /** An `onItem` of the application threw. */
  failed(cause: unknown): void;
}

/** The dedup window ends this much earlier for a client, in milliseconds: docs/protocol.md, section 6.4. */
const WINDOW_MARGIN_MS = 30_000;

/** Messages in flight to a server that does not tell how many it takes. */
const DEFAULT_IN_FLIGHT = 64;

/** The messages that have no answer yet: those that wait to be sent, and those that are in flight. */
export class SendQueue {
  /** In the order of the calls. */
  readonly #waiting: PendingSend[] = [];
  readonly #inFlight = new Map<string, PendingSend>();
  readonly #isPlain: boolean;
  #isOpen = false;
  #limits: Readonly<Record<string, number>> = {};
  #bytes = 0;
  #calls = 0;
  #timer: object | undefined;

  constructor(
    private readonly options: ResolvedClientOptions,
    private readonly port: QueuePort,
  ) {
    this.#isPlain = options.server === 'plain';
  }

  get size(): number {
    return this.#waiting.length + this.#inFlight.size;
  }

  /** The limits of the server, as last told. */
  get limits(): Readonly<Record<string, number>> {
    return this.#limits;
  }

  add(event: string, data: unknown, options: SendOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      options.signal?.throwIfAborted();
      checkTimeout(options.timeoutMs);
      this.#enqueue(event, data, options, { resolve, reject });
      this.#pump();
    });
  }

  /** Sends what waits. What is too large for this server rejects. */
  open(limits: Readonly<Record<string, number>>): void {
    this.#isOpen = true;
    this.#limits = limits;
    for (const message of [...this.#waiting]) {
      const refusal = refusalOf(message.frame, this.#limits);
      if (refusal) this.#settle(message).reject(refusal);
    }
    this.#pump();
  }

  /** What is in flight waits again, in its place. */
  pause(): void {
    this.#isOpen = false;
    const unanswered = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const message of unanswered) this.#putBack(message);
    this.#armTimer();
  }

  /** @returns whether the ack belongs to a message */
  answer({ ack, data, error, more }: AckFrame): boolean {
    const message = this.#inFlight.get(String(ack));
    if (!message) return false;
    if (error !== undefined) {
      const { retryable, retryAfterMs, ...rest } = readError(error);
      if (retryable) this.#retryLater(message, retryAfterMs);
      else this.#settle(message).reject(ChannelsClientError.fromWire(rest));
    } else if (more) {
      this.#handOut(message, data);
    } else {
      this.#settle(message).resolve(data);
    }
    this.#pump();
    return true;
  }

  rejectAll(error: ChannelsClientError): void {
    for (const message of [...this.#inFlight.values(), ...this.#waiting]) this.#settle(message).reject(error);
    this.#armTimer();
  }

  /** What was sent under an identity that is given up would run twice under the next one. */
  rejectSent(error: ChannelsClientError): void {
    for (const message of [...this.#waiting]) {
      if (message.firstSentAt !== undefined) this.#settle(message).reject(error);
    }
  }

  #enqueue(event: string, data: unknown, options: SendOptions, settling: Settling): void {
    const { random, clock } = this.options;
    const id = random.id();
    const frame = encodeFrame(this.#isPlain ? { event, data } : { event, data, id });
    const refusal = refusalOf(frame, this.#limits) ?? this.#overflow(frame.bytes);
    if (refusal) throw refusal;

    const message = new PendingSend(id, this.#calls++, frame, options, clock, settling);
    this.#bytes += frame.bytes;
    this.#waiting.push(message);
    message.watch(event, (reason) => {
      this.#settle(message).reject(reason);
      this.#pump();
    });
  }

  #overflow(bytes: number): ChannelsClientError | undefined {
    const { maxQueue, maxQueueBytes } = this.options;
    if (this.size >= maxQueue) {
      return new ChannelsClientError('queue_full', `${this.size} messages wait for their answer (maxQueue).`);
    }
    if (this.#bytes + bytes > maxQueueBytes) {
      return new ChannelsClientError(
        'queue_full',
        `${this.#bytes} bytes wait for their answer, and ${bytes} more exceed maxQueueBytes (${maxQueueBytes}).`,
      );
    }
    return undefined;
  }

  #pump(): void {
    const { clock } = this.options;
    const maxInFlight = this.#limits['maxInFlight'] ?? DEFAULT_IN_FLIGHT;
    let at = 0;
    while (this.#isOpen && this.#inFlight.size < maxInFlight) {
      const message = this.#waiting[at];
      if (!message) break;
      if (message.notBefore > clock.now()) at++;
      // A socket that is closing takes nothing more; its close puts an end to this.
      else if (!this.#send(message)) break;
    }
    this.#armTimer();
  }

  #send(message: PendingSend): boolean {
    const now = this.options.clock.now();
    if (this.#isExpired(message, now)) {
      const text = 'The server may no longer know that this message was sent before.';
      this.#settle(message).reject(new ChannelsClientError('expired', text));
      return true;
    }
    if (!this.port.write(message.frame.text)) return false;
    message.firstSentAt ??= now;
    if (this.#isPlain) {
      this.#settle(message).resolve(undefined);
      return true;
    }
    this.#waiting.splice(this.#waiting.indexOf(message), 1);
    this.#inFlight.set(message.id, message);
    return true;
  }

  #isExpired({ firstSentAt }: PendingSend, now: number): boolean {
    const { dedupWindowMs } = this.#limits;
    if (firstSentAt === undefined || dedupWindowMs === undefined) return false;
    return now - firstSentAt > dedupWindowMs - WINDOW_MARGIN_MS;
  }

  #retryLater(message: PendingSend, retryAfterMs: unknown): void {
    const { clock, random } = this.options;
    message.refusals++;
    const delayMs = asDelay(retryAfterMs) ?? random.next() * longestWait(message.refusals, this.options);
    message.notBefore = clock.now() + delayMs;
    this.#inFlight.delete(message.id);
    this.#putBack(message);
  }

  #putBack(message: PendingSend): void {
    const at = this.#waiting.findIndex(({ place }) => place > message.place);
    this.#waiting.splice(at === -1 ? this.#waiting.length : at, 0, message);
  }

  #handOut({ options }: PendingSend, item: unknown): void {
    try {
      options.onItem?.(item);
    } catch (cause) {
      this.port.failed(cause);
    }
  }

  /** Takes a message out; the caller settles it. */
  #settle(message: PendingSend): PendingSend {
    const at = this.#waiting.indexOf(message);
    if (at !== -1) this.#waiting.splice(at, 1);
    this.#inFlight.delete(message.id);
    this.#bytes -= message.frame.bytes;
    return message;
  }

  /** One timer, for the message that may be sent again first. */
  #armTimer(): void {
    const { clock } = this.options;
    if (this.#timer) clock.clearTimer(this.#timer);
    this.#timer = undefined;
    if (!this.#isOpen) return;
    const now = clock.now();
    const later = this.#waiting.map(({ notBefore }) => notBefore).filter((at) => at > now);
    if (later.length === 0) return;
    this.#timer = clock.setTimeout(() => this.#pump(), Math.min(...later) - now);
  }
}

function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS)) return;
  throw new RangeError(
    `timeoutMs (${timeoutMs}) must be a number from 0 to ${MAX_TIMER_MS}; leave it out to wait as long as it takes.`,
  );
}

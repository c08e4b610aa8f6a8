import type { AckFrame } from '../protocol/index.js';
import { waitAfter } from './backoff.js';
import { ChannelsClientError, errorOf } from './client-error.js';
import type { ResolvedClientOptions } from './client-options.js';
import { encodeFrame, refusalOf } from './frame-text.js';
import { watch, type PendingSend, type SendOptions, type Settling } from './pending-send.js';
import type { Reporter } from './reporter.js';
import { readError } from './server-frame.js';

/** The dedup window ends this much earlier for a client, in milliseconds: docs/protocol.md, section 6.4. */
const WINDOW_MARGIN_MS = 30_000;

/** When to look again at a socket that takes nothing more, in milliseconds. */
const BACKLOG_RETRY_MS = 1_000;

/** The messages that have no answer yet: those that wait to be sent, and those that are in flight. */
export class SendQueue {
  readonly #options: ResolvedClientOptions;
  /** Whether a socket has taken the frame, behind no more than so many bytes. */
  readonly #write: (text: string, maxBuffered: number) => boolean;
  readonly #reporter: Reporter;
  /** In the order of the calls. */
  readonly #messages = new Map<string, PendingSend>();
  readonly #isPlain: boolean;
  #isOpen = false;
  #limits: Readonly<Record<string, number>> = {};
  #bytes = 0;
  #timer: unknown;

  constructor(
    options: ResolvedClientOptions,
    write: (text: string, maxBuffered: number) => boolean,
    reporter: Reporter,
  ) {
    this.#options = options;
    this.#write = write;
    this.#reporter = reporter;
    this.#isPlain = options.server === 'plain';
  }

  get isEmpty(): boolean {
    return this.#messages.size === 0;
  }

  add(event: string, data: unknown, options: SendOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted) throw options.signal.reason;
      this.#enqueue(event, data, options, { resolve, reject });
      this.#pump();
    });
  }

  /** Sends what waits. What is too large for this server rejects. */
  open(limits: Readonly<Record<string, number>>): void {
    this.#isOpen = true;
    this.#limits = limits;
    for (const message of this.#messages.values()) {
      const refusal = refusalOf(message.frame, limits);
      if (refusal) this.#take(message).reject(refusal);
    }
    this.#pump();
  }

  /** What is in flight waits again, in its place. */
  pause(): void {
    this.#isOpen = false;
    for (const message of this.#messages.values()) message.isInFlight = false;
    this.#options.clock.clearTimer(this.#timer);
  }

  answer({ ack, data, error, more }: AckFrame): void {
    const message = this.#messages.get(String(ack));
    // An ack of what has been settled is late.
    if (!message?.isInFlight) return;
    const refusal = error && readError(error);
    if (refusal?.retryable) {
      message.isInFlight = false;
      message.notBefore = this.#options.clock.now() + waitAfter(refusal, ++message.refusals, this.#options);
    } else if (refusal) {
      this.#take(message).reject(errorOf(refusal));
    } else if (more) {
      this.#handOut(message, data);
    } else {
      this.#take(message).resolve(data);
    }
    this.#pump();
  }

  rejectAll(error: ChannelsClientError): void {
    for (const message of this.#messages.values()) this.#take(message).reject(error);
  }

  /** What was sent under an identity that is given up would run twice under the next one. */
  rejectSent(error: ChannelsClientError): void {
    for (const message of this.#messages.values()) {
      if (message.firstSentAt !== undefined) this.#take(message).reject(error);
    }
  }

  #enqueue(event: string, data: unknown, options: SendOptions, settling: Settling): void {
    const { random, clock } = this.#options;
    const id = random.id();
    const frame = encodeFrame(this.#isPlain ? { event, data } : { event, data, id });
    const refusal = refusalOf(frame, this.#limits) ?? this.#overflow(frame.bytes);
    if (refusal) throw refusal;

    const message: PendingSend = {
      ...settling,
      id,
      frame,
      onItem: options.onItem,
      unwatch: watch(event, options, clock, (reason) => {
        this.#take(message).reject(reason);
        this.#pump();
      }),
      isInFlight: false,
      refusals: 0,
      notBefore: 0,
    };
    this.#bytes += frame.bytes;
    this.#messages.set(id, message);
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
    let free = this.#limits['maxInFlight'] ?? Infinity;
    for (const { isInFlight } of this.#messages.values()) free -= Number(isInFlight);
    let nextAt = Infinity;
    for (const message of this.#messages.values()) {
      if (message.isInFlight) continue;
      if (message.notBefore > now) nextAt = Math.min(nextAt, message.notBefore);
      else if (free <= 0) break;
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
    const windowMs = this.#limits['dedupWindowMs'] ?? Infinity;
    if (now - (message.firstSentAt ?? Infinity) > windowMs - WINDOW_MARGIN_MS) {
      const text = 'It is too late to send this again.';
      this.#take(message).reject(new ChannelsClientError('expired', text));
      return true;
    }
    if (!this.#write(message.frame.text, this.#options.maxQueueBytes)) return false;
    message.firstSentAt ??= now;
    message.isInFlight = !this.#isPlain;
    if (this.#isPlain) this.#take(message).resolve(undefined);
    return true;
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
    this.#bytes -= message.frame.bytes;
    message.unwatch();
    return message;
  }
}

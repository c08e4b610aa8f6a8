import { ChannelsClientError } from './client-error.js';
import type { ClientClock } from './clock.interface.js';
import type { FrameText } from './frame-text.js';

/** @publicApi */
export interface SendOptions {
  /** Rejects with `timeout` when there is no answer within this many milliseconds, waiting offline included. */
  readonly timeoutMs?: number;
  /** Rejects with the reason of the signal. What was sent already may still be done. */
  readonly signal?: AbortSignal;
  /** Is handed each item of a handler that streams. After a reconnect the stream begins again. */
  readonly onItem?: (item: unknown) => void;
}

export interface Settling {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** A message that has no answer yet. */
export class PendingSend {
  /** When it was first written to a socket. */
  firstSentAt: number | undefined;
  /** Retryable errors so far. */
  refusals = 0;
  /** It is not sent before this. */
  notBefore = 0;

  #timer: object | undefined;
  #unlisten: (() => void) | undefined;

  constructor(
    readonly id: string,
    /** Its place in the order of the calls. */
    readonly place: number,
    readonly frame: FrameText,
    readonly options: SendOptions,
    private readonly clock: ClientClock,
    private readonly settling: Settling,
  ) {}

  /** @param end - is called when the time is over or the signal aborts, with what to reject with */
  watch(event: string, end: (reason: unknown) => void): void {
    const { timeoutMs, signal } = this.options;
    if (timeoutMs !== undefined) {
      const text = `No answer to ${JSON.stringify(event)} within ${timeoutMs} ms.`;
      this.#timer = this.clock.setTimeout(() => end(new ChannelsClientError('timeout', text)), timeoutMs);
    }
    if (signal) {
      const abort = (): void => end(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      this.#unlisten = () => signal.removeEventListener('abort', abort);
    }
  }

  resolve(answer: unknown): void {
    this.#unwatch();
    this.settling.resolve(answer);
  }

  reject(error: unknown): void {
    this.#unwatch();
    this.settling.reject(error);
  }

  #unwatch(): void {
    if (this.#timer) this.clock.clearTimer(this.#timer);
    this.#unlisten?.();
  }
}

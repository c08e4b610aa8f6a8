import { answerData } from './answer-data.js';
import type { Unanswered } from './unanswered.interface.js';
import type { Expirable } from './deadlines.js';
import type { Engine } from './engine.js';
import { ChannelsError } from './errors.js';
import type { Message } from './handler.interface.js';
import { asStream, type ResultStream } from './result-stream.js';

/**
 * The answer to a message whose handler has not finished. Settles exactly once: with what the
 * handler gives, with `timeout`, or without a word because the connection has ended.
 */
export class PendingReply implements Expirable, Unanswered {
  expiresAt = 0;
  #settled = false;
  #holdsShutdown = false;
  #stream?: ResultStream;
  #subscription?: { unsubscribe(): void };

  constructor(
    private readonly engine: Engine,
    private readonly message: Message,
  ) {
    message.connection.track(this);
    if (message.id !== undefined) engine.deadlines.add(this);
  }

  get isAwaited(): boolean {
    return this.message.id !== undefined;
  }

  /** Answers with what the promise gives, which may be a stream. */
  follow(result: Promise<unknown>): void {
    this.engine.begin();
    result
      .then(
        (value) => this.#resolved(value),
        (error: unknown) => this.#rejected(error),
      )
      .finally(() => this.engine.finish());
  }

  /** Answers with each item of a stream, or with its last one. */
  stream(result: ResultStream): void {
    let last: unknown;
    this.#stream = result;
    // Without an `id` every item is sent, whatever it comes from, as in stock Nest.
    const isEach = (): boolean => !this.isAwaited || result.isEach();
    if (!result.isEach()) this.#holdShutdown();
    try {
      const subscription = result.source.subscribe({
        next: (value) => {
          if (isEach()) this.#item(value);
          else last = value;
        },
        error: (error) => this.#fail(error),
        complete: () => (isEach() ? this.#complete() : this.#answer(last)),
      });
      this.#subscription = subscription;
      if (this.#settled) this.#unsubscribe();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Time is limited until a stream is there, not for as long as it runs. */
  expire(): void {
    if (this.#stream?.isEach()) return;
    const { handlerTimeoutMs } = this.engine.options;
    this.#fail(new ChannelsError('timeout', `the handler took longer than ${handlerTimeoutMs} ms`));
  }

  cancel(): void {
    this.#settle();
  }

  #resolved(value: unknown): void {
    if (this.#settled) return;
    let stream: ResultStream | undefined;
    try {
      stream = asStream(value, false);
    } catch (error) {
      // A result may throw when it is looked at.
      this.#fail(error);
      return;
    }
    if (stream) this.stream(stream);
    else this.#answer(value);
  }

  #rejected(error: unknown): void {
    // Too late to be told to the peer, but not to be known.
    if (this.#settled) this.#report(error);
    else this.#fail(error);
  }

  #answer(value: unknown): void {
    if (this.#settle()) this.engine.dispatcher.answer(this.message, value);
  }

  #item(value: unknown): void {
    if (this.#settled) return;
    this.#releaseShutdown();
    const { connection, id } = this.message;
    try {
      if (id === undefined) connection.sendValue(value);
      else connection.sendAck(id, answerData(value), true);
    } catch (error) {
      this.#fail(error);
    }
  }

  #complete(): void {
    if (this.#settle() && this.isAwaited) this.engine.dispatcher.answer(this.message, undefined);
  }

  #fail(error: unknown): void {
    if (this.#settle()) this.engine.dispatcher.fail(this.message, error);
  }

  /** `true` for the caller that settles it; everybody later is too late. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.engine.deadlines.delete(this);
    this.message.connection.untrack(this);
    this.#releaseShutdown();
    this.#unsubscribe();
    return true;
  }

  /** What a stream does when nobody wants it any more is code of the application, too. */
  #unsubscribe(): void {
    try {
      this.#subscription?.unsubscribe();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.engine.observers.failed({ where: this.message.event, error });
  }

  /** A shutdown waits for the one answer of a stream, but not for items: they may have no end. */
  #holdShutdown(): void {
    this.#holdsShutdown = true;
    this.engine.begin();
  }

  #releaseShutdown(): void {
    if (!this.#holdsShutdown) return;
    this.#holdsShutdown = false;
    this.engine.finish();
  }
}

import type { MessageId, WireError } from '../protocol/index.js';
import { ClaimGate, type GateKeeper, type Obstacle } from './claim-gate.js';
import type { Connection } from './connection.js';
import type { Unanswered } from './unanswered.interface.js';
import type { Expirable } from './deadlines.js';
import type { StoredAnswer } from './dedup-store.interface.js';
import type { Engine } from './engine.js';
import { ChannelsError } from './errors.js';
import { TURNED_AWAY, type Handler, type Message } from './handler.interface.js';
import type { HeldClaim } from './held-claim.js';
import type { Turn } from './lane.js';
import type { AckOutcome } from './observer.interface.js';
import { asStream } from './result-stream.js';
import { encodeData, encodeError } from './stored-answer.js';

/** How long a peer waits for whose message there is no room: by then some handlers have ended. */
const FULL_RETRY_MS = 1_000;

/**
 * One message to an `@Acked()` handler. What the peer is told settles exactly once: by the handler, by
 * `timeout`, by an earlier copy of the message, or without a word because the connection has ended.
 *
 * Where the message has an `id`, the run of the handler has a life of its own. It is claimed, goes on
 * when the peer has been told `timeout` or is gone, and its answer is stored for the next copy.
 */
export class AckedTurn implements Turn, GateKeeper, Expirable, Unanswered {
  expiresAt = 0;
  readonly #gate?: ClaimGate;
  #settled = false;
  #tracked = false;
  #isPending = false;
  /** Ends a wait for another copy, and a stream that nobody wants. */
  #end?: AbortController;

  constructor(
    private readonly engine: Engine,
    private readonly message: Message,
    private readonly handler: Handler,
  ) {
    if (this.isAwaited) this.#gate = new ClaimGate(engine, message, this);
  }

  get isAwaited(): boolean {
    return this.message.id !== undefined;
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  get isPending(): boolean {
    return this.#isPending;
  }

  get where(): string {
    return this.message.event;
  }

  get signal(): AbortSignal {
    return (this.#end ??= new AbortController()).signal;
  }

  /** Takes its turn, at once where nobody is before it. */
  begin(): void {
    if (this.handler.concurrent) this.start();
    else if (!this.#connection.lane.enter(this)) this.#track();
  }

  start(): void {
    // What has waited for its turn must not begin for a peer that is gone: the next copy will.
    if (this.#connection.state !== 'open') {
      this.cancel();
      return;
    }
    let result: unknown;
    try {
      result = this.handler.handle(this.message, this.#gate);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#take(result);
  }

  expire(): void {
    const { handlerTimeoutMs } = this.engine.options;
    // Without an `id` nobody is told, but those behind it go on.
    if (!this.isAwaited) this.#connection.lane.leave(this);
    else this.#refuse(new ChannelsError('timeout', `the handler took longer than ${handlerTimeoutMs} ms`));
  }

  cancel(): void {
    this.#settle(() => undefined);
  }

  giveUp(): void {
    this.#end?.abort(new ChannelsError('timeout', 'the handler took longer than the dedup window'));
  }

  #take(result: unknown): void {
    if (result instanceof Promise) {
      this.#follow(result);
      return;
    }
    if (result === TURNED_AWAY) {
      this.#turnedAway(this.#gate?.obstacle);
      return;
    }
    // Nobody waits, and nobody will ask.
    if (this.#settled && !this.#claim) return;
    try {
      // In here as well: a result may throw when it is looked at.
      const stream = asStream(result, true);
      if (stream) this.#follow(stream.last(this.signal));
      else this.#done(result);
    } catch (error) {
      this.#failed(error);
    }
  }

  #follow(result: Promise<unknown>): void {
    this.#isPending = true;
    this.#claim?.keep();
    this.#pend();
    this.engine.begin();
    void result
      .then(
        (value) => this.#take(value),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => this.engine.finish());
  }

  #turnedAway(obstacle: Obstacle | undefined): void {
    switch (obstacle?.type) {
      case 'answered':
        this.#send(obstacle.answer, 'repeated');
        break;
      case 'conflict':
        this.#refuse(new ChannelsError('conflict', 'this id came before, with another event or other data'));
        break;
      case 'full':
        this.engine.observers.faulted(this.#connection, 'rate_limited');
        this.#refuse(
          new ChannelsError('rate_limited', 'too many handlers run', { retryAfterMs: FULL_RETRY_MS }),
        );
        break;
      case 'unknown':
        this.#refuse(new ChannelsError('unavailable', 'whether this has run before cannot be told now'));
        break;
      case 'running':
      case undefined:
        // It has been settled while it waited.
        break;
    }
  }

  #done(value: unknown): void {
    const claim = this.#claim;
    if (!claim) {
      this.#settle(() => this.engine.dispatcher.answer(this.message, value));
      return;
    }
    let answer: StoredAnswer;
    try {
      answer = encodeData(this.#connection.codec, value, this.#maxBytes);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#store(claim, answer, 'done');
  }

  #failed(error: unknown): void {
    const claim = this.#claim;
    // Too late to be told to anybody, but not to be known.
    if (this.#settled && !claim) this.#report(error);
    else if (!claim) this.#refuse(error);
    else this.#failedUnder(claim, error);
  }

  #failedUnder(claim: HeldClaim, error: unknown): void {
    const wire = this.engine.errors.toWireError(error, this.message);
    const answer = this.#encodeError(wire);
    const outcome = wire.code === 'timeout' ? 'timeout' : 'failed';
    if (!wire.retryable) {
      this.#store(claim, answer, outcome);
      return;
    }
    if (this.#settled) this.#report(error);
    claim.free(() => this.#send(answer, outcome));
    this.#pend();
  }

  /** First it is stored, then told: a copy that is still on its way must not run. */
  #store(claim: HeldClaim, answer: StoredAnswer, outcome: AckOutcome): void {
    claim.store(answer, () => this.#send(answer, outcome));
    this.#pend();
  }

  #encodeError(wire: WireError): StoredAnswer {
    const { codec } = this.#connection;
    try {
      return encodeError(codec, wire, this.#maxBytes);
    } catch (failure) {
      // What the application gave with its error has no JSON. The rest of the answer still has.
      this.#report(failure);
      const message = typeof wire.message === 'string' ? wire.message : 'an error without a text';
      return encodeError(codec, { code: wire.code, message, retryable: wire.retryable }, this.#maxBytes);
    }
  }

  #send(answer: StoredAnswer, outcome: AckOutcome): void {
    this.#settle(() => {
      this.#connection.sendAnswer(this.message.id as MessageId, answer);
      this.engine.observers.acked(this.#connection, this.message.event, outcome);
    });
  }

  /** Tells what is not stored. */
  #refuse(error: unknown): void {
    this.#settle(() => this.engine.dispatcher.fail(this.message, error));
  }

  /** Tells the peer, once: everybody later is too late. Then the next in the lane may begin. */
  #settle(tell: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.expiresAt !== 0) this.engine.deadlines.delete(this);
    if (this.#tracked) this.#connection.untrack(this);
    if (!this.#claim) this.#end?.abort();
    try {
      tell();
    } finally {
      this.#connection.lane.leave(this);
    }
  }

  /** From here on its time runs, unless it is over. */
  #pend(): void {
    if (this.#settled) return;
    this.#track();
    if (this.expiresAt === 0) this.engine.deadlines.add(this);
  }

  #track(): void {
    if (this.#tracked) return;
    this.#tracked = true;
    this.#connection.track(this);
  }

  #report(error: unknown): void {
    this.engine.observers.failed({ where: this.where, error });
  }

  get #claim(): HeldClaim | undefined {
    return this.#gate?.claim;
  }

  get #connection(): Connection {
    return this.message.connection;
  }

  get #maxBytes(): number {
    const { dedup, options } = this.engine;
    const maxMessageBytes = this.#connection.endpoint.maxMessageBytes ?? options.maxMessageBytes;
    return Math.min(maxMessageBytes, dedup.maxAnswerBytes ?? Infinity);
  }
}

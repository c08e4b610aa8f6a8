import type { Connection } from './connection.js';
import { ChannelsError } from './errors.js';
import type { Gate, Handler, Message } from './handler.interface.js';
import type { RateRule } from './rate-store.interface.js';
import { TokenBucket } from './token-bucket.js';

/** What `@RateLimit()` says about a method. */
export interface HandlerRate extends RateRule {
  readonly per: 'connection' | 'principal';
}

/** A handler that takes so many messages in a time, and refuses the others before its guards run. */
export class LimitedHandler implements Handler {
  readonly #buckets = new WeakMap<Connection, TokenBucket>();

  constructor(
    readonly unlimited: Handler,
    /** The same on every node, and of no other handler. */
    private readonly name: string,
    private readonly rate: HandlerRate,
  ) {}

  get event(): string {
    return this.unlimited.event;
  }

  get acked(): boolean {
    return this.unlimited.acked;
  }

  get concurrent(): boolean {
    return this.unlimited.concurrent ?? false;
  }

  handle(message: Message, gate?: Gate): unknown {
    const waitMs = this.#take(message.connection);
    if (waitMs instanceof Promise) return waitMs.then((ms) => this.#proceed(ms, message, gate));
    return this.#proceed(waitMs, message, gate);
  }

  #proceed(waitMs: number, message: Message, gate: Gate | undefined): unknown {
    if (waitMs === 0) return this.unlimited.handle(message, gate);
    const { connection } = message;
    connection.engine.observers.faulted(connection, 'handler_rate');
    const { points, perMs } = this.rate;
    throw new ChannelsError('rate_limited', `at most ${points} in ${perMs} ms`, { retryAfterMs: waitMs });
  }

  #take(connection: Connection): Promise<number> | number {
    const { engine, principal } = connection;
    // Somebody anonymous has no other name than the connection.
    if (this.rate.per === 'principal' && principal !== '')
      return engine.principalRates.take({ name: this.name, principal }, this.rate);
    const now = engine.clock.now();
    const bucket = this.#bucketOf(connection, now);
    if (!bucket.has(1, now)) return bucket.msUntil(1, now);
    bucket.take(1);
    return 0;
  }

  #bucketOf(connection: Connection, now: number): TokenBucket {
    let bucket = this.#buckets.get(connection);
    if (!bucket) {
      const { points, perMs } = this.rate;
      bucket = new TokenBucket({ points, perMs, burst: points }, now);
      this.#buckets.set(connection, bucket);
    }
    return bucket;
  }
}

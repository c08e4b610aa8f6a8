import type { Redis } from 'ioredis';
import { fromRedis } from './redis-error.js';

/** Takes what is published to a channel of Redis. */
export type MessageListener = (message: string, channel: string) => void;

/** Channels in one SUBSCRIBE: so many names of 255 characters are a packet that no buffer of Redis minds. */
const MAX_AT_ONCE = 500;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a node listens to, and the one connection at a time that brings it. */
export class Subscriptions {
  readonly #wanted = new Map<string, MessageListener>();
  /** What Redis was told on this connection, in the order in which it was told. */
  readonly #told = new Set<string>();
  readonly #changed = new Set<string>();
  #telling: Promise<void> = Promise.resolve();
  #waiters: Waiter[] = [];
  #redis?: Redis;
  #isScheduled = false;

  /** @param away - what a call rejects with while there is no connection */
  constructor(private readonly away: () => Error) {}

  /**
   * Resolves when Redis has confirmed it. Rejects where it cannot now; the interest stays, and counts on the next
   * connection, until {@link unlisten}.
   */
  listen(channel: string, listener: MessageListener): Promise<void> {
    this.#wanted.set(channel, listener);
    if (!this.#redis) return Promise.reject(this.away());
    this.#changed.add(channel);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#schedule();
    });
  }

  unlisten(channel: string): void {
    this.#wanted.delete(channel);
    if (!this.#redis) return;
    this.#changed.add(channel);
    this.#schedule();
  }

  /** There is a connection: resolves when it brings everything that is wanted. */
  async attach(redis: Redis): Promise<void> {
    redis.on('message', (channel: string, message: string) => {
      // One that was given up may still bring what the next one brings as well.
      if (this.#redis === redis) this.#wanted.get(channel)?.(message, channel);
    });
    this.#told.clear();
    // What was told before was told to another connection.
    this.#telling = Promise.resolve();
    this.#changed.clear();
    this.#redis = redis;
    await this.#tell([...this.#wanted.keys()], []);
  }

  /** The connection is over. */
  detach(): void {
    this.#redis = undefined;
    for (const { reject } of this.#waiters.splice(0)) reject(this.away());
  }

  /** Once a turn, so that a thousand subscribers who come together cost one command. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      void this.#settle();
    });
  }

  async #settle(): Promise<void> {
    const waiters = this.#waiters;
    this.#waiters = [];
    const changed = [...this.#changed];
    this.#changed.clear();
    const telling = this.#tell(
      changed.filter((channel) => this.#wanted.has(channel) && !this.#told.has(channel)),
      changed.filter((channel) => !this.#wanted.has(channel) && this.#told.has(channel)),
    );
    // What was told before may have no answer yet, and be about the same channel.
    const answered = Promise.all([this.#telling, telling]);
    this.#telling = telling;
    try {
      await answered;
      for (const { resolve } of waiters) resolve();
    } catch (error) {
      for (const { reject } of waiters) reject(error);
    }
  }

  async #tell(wanted: readonly string[], unwanted: readonly string[]): Promise<void> {
    const redis = this.#redis;
    if (!redis) throw this.away();
    for (const channel of wanted) this.#told.add(channel);
    for (const channel of unwanted) this.#told.delete(channel);
    try {
      await Promise.all([
        ...slices(unwanted).map((channels) => redis.unsubscribe(...channels)),
        ...slices(wanted).map((channels) => redis.subscribe(...channels)),
      ]);
    } catch (error) {
      for (const channel of wanted) this.#told.delete(channel);
      throw fromRedis(error);
    }
  }
}

function slices(channels: readonly string[]): string[][] {
  const count = Math.ceil(channels.length / MAX_AT_ONCE);
  return Array.from({ length: count }, (_, at) => channels.slice(at * MAX_AT_ONCE, (at + 1) * MAX_AT_ONCE));
}

import type { Redis } from 'ioredis';
import type { Clock, Timer } from '../core/clock.interface.js';
import { ChannelsError } from '../core/errors.js';
import { reasonOf } from './redis-error.js';
import { Subscriptions, type MessageListener } from './subscriptions.js';

/** Probes of one way that do not come back before the connection is given up. */
const MAX_MISSED = 2;

/** Of one way, whose times are remembered: that many may be under way before the connection is given up. */
const MAX_TIMED = MAX_MISSED + 1;

/** A message that must come back. */
export interface Probe {
  /** The name of the way that it takes. */
  readonly way: string;
  /** Resolves when Redis has taken it. */
  readonly sent: Promise<unknown>;
}

const MESSAGE = /^(.*)#(\d+)$/s;

/** What is published on a way, by which the probe is known when it comes back: others may be under way with it. */
export function probeMessage(way: string, number: number): string {
  return `${way}#${number}`;
}

/** What has become of the probes of one way since the last one came back. */
interface Way {
  isBack: boolean;
  /** When those that have not come back were sent, by their numbers. */
  readonly sentAt: Map<number, number>;
  /** Sent. */
  missed: number;
  /** Sent, and taken by Redis. */
  lost: number;
}

/** What a {@link Subscriber} needs. */
export interface SubscriberParts {
  readonly clock: Clock;
  /** A new connection, not yet connected; `undefined` where none can be had now. */
  readonly connect: () => Redis | undefined;
  /** How long until the next attempt to connect. */
  readonly retryDelay: (attempt: number) => number;
  readonly connectTimeoutMs: number;
  /** A channel that nobody else has. */
  readonly probeChannel: string;
  readonly probeIntervalMs: number;
  /** Publishes a {@link probeMessage} of this number to the probe channel on every way there is now. */
  readonly probe: (number: number) => readonly Probe[];
  /** One came back after so many milliseconds. */
  readonly probed: (ms: number) => void;
  /** Everything is subscribed: on the first connection, or again. */
  readonly attached: () => void;
  /** The connection is over, or nothing comes through it. */
  readonly detached: (state: 'away' | 'deaf', reason: string) => void;
}

/**
 * Brings what is published. A connection that ends is followed by another one; one that looks well but brings nothing
 * is found by a message that does not come back, and ended.
 */
export class Subscriber {
  readonly #parts: SubscriberParts;
  readonly #subscriptions = new Subscriptions(
    () => new ChannelsError('unavailable', 'Redis brings no publications now'),
  );
  #redis?: Redis;
  #attempt = 0;
  #retry?: Timer;
  #prober?: Timer;
  #ways = new Map<string, Way>();
  #probes = 0;
  #isAttached = false;
  #isClosed = false;
  #trouble = 'Redis has not answered yet';

  constructor(parts: SubscriberParts) {
    this.#parts = parts;
    this.#subscriptions.listen(parts.probeChannel, (message) => this.#hear(message)).catch(() => undefined);
  }

  get isAttached(): boolean {
    return this.#isAttached;
  }

  /** Why the last connection has ended. */
  get trouble(): string {
    return this.#trouble;
  }

  listen(channel: string, listener: MessageListener): Promise<void> {
    return this.#subscriptions.listen(channel, listener);
  }

  unlisten(channel: string): void {
    this.#subscriptions.unlisten(channel);
  }

  start(): void {
    this.#connect();
    this.#prober = this.#parts.clock.setInterval(() => this.#probe(), this.#parts.probeIntervalMs);
  }

  close(): void {
    this.#isClosed = true;
    const { clock } = this.#parts;
    if (this.#retry) clock.clearTimer(this.#retry);
    if (this.#prober) clock.clearTimer(this.#prober);
    this.#drop('closed');
  }

  #connect(): void {
    if (this.#isClosed) return;
    const redis = this.#parts.connect();
    if (!redis) {
      this.#later('no node of the cluster is known');
      return;
    }
    this.#redis = redis;
    let reason = 'the connection has ended';
    redis.on('error', (error) => (reason = reasonOf(error)));
    redis.once('end', () => {
      if (this.#redis === redis) this.#drop(reason);
    });
    this.#attach(redis).catch((error: unknown) => {
      if (this.#redis === redis) this.#drop(reasonOf(error));
    });
  }

  async #attach(redis: Redis): Promise<void> {
    const { clock, connectTimeoutMs } = this.#parts;
    const timer = clock.setTimeout(() => {
      if (this.#redis === redis) this.#drop(`no connection within ${connectTimeoutMs} ms`);
    }, connectTimeoutMs);
    try {
      await redis.connect();
      await this.#subscriptions.attach(redis);
    } finally {
      clock.clearTimer(timer);
    }
    if (this.#redis !== redis) return;
    this.#attempt = 0;
    this.#ways.clear();
    this.#isAttached = true;
    this.#parts.attached();
  }

  /** Gives the connection up, and makes another one later. */
  #drop(reason: string, state: 'away' | 'deaf' = 'away'): void {
    const redis = this.#redis;
    this.#redis = undefined;
    redis?.disconnect();
    this.#subscriptions.detach();
    const wasAttached = this.#isAttached;
    this.#isAttached = false;
    if (this.#isClosed) return;
    if (wasAttached || this.#attempt === 0) this.#parts.detached(state, reason);
    this.#later(reason);
  }

  #later(reason: string): void {
    this.#trouble = reason;
    const { clock, retryDelay } = this.#parts;
    this.#retry = clock.setTimeout(() => this.#connect(), retryDelay(++this.#attempt));
  }

  #probe(): void {
    if (!this.#isAttached) return;
    const number = ++this.#probes;
    const probes = this.#parts.probe(number);
    const known = this.#ways;
    this.#ways = new Map(
      probes.map(({ way }) => [
        way,
        known.get(way) ?? { isBack: true, sentAt: new Map(), missed: 0, lost: 0 },
      ]),
    );
    if (this.#isDeaf) this.#drop(`${MAX_MISSED} probes have not come back`, 'deaf');
    for (const { way, sent } of probes) this.#await(this.#ways.get(way) as Way, number, sent);
  }

  /** One way that Redis does not take is not our trouble while others bring theirs. */
  get #isDeaf(): boolean {
    const ways = [...this.#ways.values()];
    const isAllSilent = ways.length > 0 && ways.every(({ missed }) => missed >= MAX_MISSED);
    return isAllSilent || ways.some(({ lost }) => lost >= MAX_MISSED);
  }

  #await(way: Way, number: number, sent: Promise<unknown>): void {
    way.isBack = false;
    way.missed++;
    way.sentAt.set(number, this.#parts.clock.now());
    way.sentAt.delete(number - MAX_TIMED);
    sent.then(
      () => {
        if (!way.isBack) way.lost++;
      },
      // It cannot come back, and is missed.
      () => undefined,
    );
  }

  /** Whichever it is, the way is alive; how long it took is known of the last few. */
  #hear(message: string): void {
    const [, name = '', number] = MESSAGE.exec(message) ?? [];
    const way = this.#ways.get(name);
    if (!way) return;
    Object.assign(way, { isBack: true, missed: 0, lost: 0 });
    const sentAt = way.sentAt.get(Number(number));
    if (sentAt === undefined) return;
    way.sentAt.delete(Number(number));
    this.#parts.probed(this.#parts.clock.now() - sentAt);
  }
}

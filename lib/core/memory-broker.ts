import type {
  Broker,
  HistoryPage,
  HistoryQuery,
  HistoryRule,
  Position,
  Publication,
  PublicationSink,
  PublishRule,
} from './broker.interface.js';
import { ChannelHistory } from './channel-history.js';
import type { Clock, Timer } from './clock.interface.js';
import type { Random } from './random.interface.js';

/** How often histories are looked through for what is too old. */
const SWEEP_MS = 10_000;

/** Histories that are kept at most; see {@link MemoryBrokerParts.maxHistories}. */
const MAX_HISTORIES = 10_000;

export interface MemoryBrokerParts {
  readonly clock: Clock;
  readonly random: Random;

  /**
   * How many channels may have a history, not counting those that somebody is in. One more, and the one
   * that was used the longest time ago is forgotten: who comes back to it is told of a gap.
   *
   * @default 10_000
   */
  readonly maxHistories?: number;
}

/** A history with what the broker has to know about it. */
interface Kept {
  readonly history: ChannelHistory;
  /** How long it is kept behind its last use, unless somebody is in the channel. */
  readonly ttlMs: number;
  usedAt: number;
}

/** The broker of a single process: a publication is accepted and delivered in the same call. */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxHistories: number;
  /** Of channels that somebody is in. */
  readonly #used = new Map<string, Kept>();
  /** Of the others, the one that was left first in front. */
  readonly #left = new Map<string, Kept>();
  readonly #subscribed = new Set<string>();
  #sink: PublicationSink = () => undefined;
  #sweeper?: Timer;

  constructor({ clock, random, maxHistories = MAX_HISTORIES }: MemoryBrokerParts) {
    this.#clock = clock;
    this.#random = random;
    this.#maxHistories = maxHistories;
  }

  /** Histories that are kept. */
  get size(): number {
    return this.#used.size + this.#left.size;
  }

  start(sink: PublicationSink): void {
    this.#sink = sink;
  }

  publish(publication: Publication, rule?: PublishRule): Position | undefined {
    if (!rule) {
      this.#sink(publication);
      return undefined;
    }
    const now = this.#clock.now();
    const { history } = this.#keep(publication.channel, rule.history);
    const earlier = rule.key === undefined ? undefined : history.find(rule.key, now);
    if (earlier) return earlier;
    const placed = history.add(publication, rule.history, now, rule.key);
    this.#sink(placed);
    return placed.position;
  }

  position(channel: string, rule: HistoryRule): Position {
    return this.#keep(channel, rule).history.position;
  }

  history(channel: string, rule: HistoryRule, query: HistoryQuery): HistoryPage {
    return this.#keep(channel, rule).history.read(query, this.#clock.now());
  }

  subscribe(channel: string): void {
    this.#subscribed.add(channel);
    const kept = this.#left.get(channel);
    if (!kept) return;
    this.#left.delete(channel);
    this.#used.set(channel, kept);
  }

  unsubscribe(channel: string): void {
    this.#subscribed.delete(channel);
    const kept = this.#used.get(channel);
    if (!kept) return;
    this.#used.delete(channel);
    this.#leave(channel, kept);
  }

  close(): void {
    this.#sink = () => undefined;
    if (this.#sweeper) this.#clock.clearTimer(this.#sweeper);
    this.#sweeper = undefined;
  }

  #keep(channel: string, { ttlMs }: HistoryRule): Kept {
    this.#sweeper ??= this.#clock.setInterval(() => this.#sweep(), SWEEP_MS);
    const known = this.#used.get(channel) ?? this.#left.get(channel);
    const kept = known ?? { history: new ChannelHistory(this.#random.id()), ttlMs, usedAt: 0 };
    if (this.#subscribed.has(channel)) this.#used.set(channel, kept);
    else this.#leave(channel, kept);
    return kept;
  }

  /** To the end of the queue of those that may be forgotten. */
  #leave(channel: string, kept: Kept): void {
    kept.usedAt = this.#clock.now();
    this.#left.delete(channel);
    this.#left.set(channel, kept);
    if (this.#left.size <= this.#maxHistories) return;
    for (const [first] of this.#left) {
      this.#left.delete(first);
      break;
    }
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const { history } of this.#used.values()) history.expire(now);
    for (const [channel, { history, usedAt, ttlMs }] of this.#left) {
      history.expire(now);
      if (usedAt + ttlMs <= now) this.#left.delete(channel);
    }
  }
}

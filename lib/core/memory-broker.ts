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
import { OldestFirst, type Place } from './oldest-first.js';
import { DEFAULTS } from './options.js';
import type { Random } from './random.interface.js';
import type { Sizes } from './tables.js';

/** How often histories are looked through for publications that are too old. */
const SWEEP_MS = 10_000;

export interface MemoryBrokerParts {
  readonly clock: Clock;
  readonly random: Random;

  /**
   * How many channels may have a history, not counting those that somebody is in. One more, and one that
   * never had a publication is forgotten, or else the one that was used the longest time ago: who comes back
   * to it is told of a gap.
   *
   * @default 10_000
   */
  readonly maxHistories?: number;
}

interface Kept {
  readonly channel: string;
  readonly history: ChannelHistory;
  /** Among those that nobody is in. */
  place?: Place | undefined;
}

/** The broker of a single process: a publication is accepted and delivered in the same call. */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxHistories: number;
  readonly #subscribed = new Set<string>();
  readonly #histories = new Map<string, Kept>();
  /** Those of channels that nobody is in, in the order of their last use. */
  readonly #left = new OldestFirst<Kept>();
  /** As those, but never published to: whoever tries to join under many names must not push out the others. */
  readonly #blank = new OldestFirst<Kept>();
  #sink: PublicationSink = () => undefined;
  #sweeper?: Timer;

  constructor({ clock, random, maxHistories = DEFAULTS.maxHistories }: MemoryBrokerParts) {
    this.#clock = clock;
    this.#random = random;
    this.#maxHistories = maxHistories;
  }

  sizes(): Sizes {
    return { subscribed: this.#subscribed.size, histories: this.#histories.size };
  }

  /** Histories that are kept. */
  get size(): number {
    return this.#histories.size;
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
    const kept = this.#of(publication.channel);
    const earlier = rule.key === undefined ? undefined : kept.history.find(rule.key, now);
    const placed = earlier ? undefined : kept.history.add(publication, rule.history, now, rule.key);
    this.#used(kept);
    if (placed) this.#sink(placed);
    return earlier ?? placed?.position;
  }

  position(channel: string, _rule: HistoryRule): Position {
    return this.#read(channel).position;
  }

  history(channel: string, _rule: HistoryRule, query: HistoryQuery): HistoryPage {
    return this.#read(channel).read(query, this.#clock.now());
  }

  subscribe(channel: string): void {
    this.#subscribed.add(channel);
    const kept = this.#histories.get(channel);
    if (kept) this.#used(kept);
  }

  unsubscribe(channel: string): void {
    this.#subscribed.delete(channel);
    const kept = this.#histories.get(channel);
    if (kept) this.#used(kept);
  }

  close(): void {
    this.#sink = () => undefined;
    if (this.#sweeper) this.#clock.clearTimer(this.#sweeper);
    this.#sweeper = undefined;
  }

  #read(channel: string): ChannelHistory {
    const kept = this.#of(channel);
    this.#used(kept);
    return kept.history;
  }

  #of(channel: string): Kept {
    this.#sweeper ??= this.#clock.setInterval(() => this.#sweep(), SWEEP_MS);
    const known = this.#histories.get(channel);
    if (known) return known;
    const kept: Kept = { channel, history: new ChannelHistory(this.#random.id()) };
    this.#histories.set(channel, kept);
    return kept;
  }

  /** Puts it behind all others that may be forgotten, unless somebody is in its channel. */
  #used(kept: Kept): void {
    kept.place?.leave();
    kept.place = undefined;
    if (this.#subscribed.has(kept.channel)) return;
    kept.place = (kept.history.isBlank ? this.#blank : this.#left).add(kept);
    if (this.#left.size + this.#blank.size > this.#maxHistories) this.#forgetOne();
  }

  #forgetOne(): void {
    const queue = this.#blank.size > 0 ? this.#blank : this.#left;
    const { oldest } = queue;
    if (!oldest) return;
    oldest.place?.leave();
    this.#histories.delete(oldest.channel);
  }

  /** Drops publications, never a position: whoever has missed nothing must be able to see that. */
  #sweep(): void {
    const now = this.#clock.now();
    for (const { history } of this.#histories.values()) history.expire(now);
  }
}

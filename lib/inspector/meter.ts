import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Engine } from '../core/engine.js';
import { observedNode } from '../core/observed-node.js';
import type { ObservedConnection, Observer, Traffic } from '../core/observer.interface.js';
import { Totals } from '../core/totals.js';
import {
  LISTED,
  type ChannelFigures,
  type HandlerTimes,
  type NodeFigures,
  type NodeRates,
} from './figures.js';

/** What a meter knows of a node. */
export type Measured = Pick<
  NodeFigures,
  | 'connections'
  | 'channels'
  | 'subscriptions'
  | 'outboxBytes'
  | 'slowReaders'
  | 'rates'
  | 'handlers'
  | 'loopDelayMs'
  | 'busiest'
  | 'moreChannels'
>;

/** Channels that are told apart between two readings: a node may publish to any number of them. */
export const MAX_CHANNELS = 1_000;

const RESOLUTION_MS = 10;
const MS_PER_SECOND = 1_000;
const NS_PER_MS = 1_000_000;
const US_PER_MS = 1_000;
/** Histograms take whole numbers of at least 1. */
const LEAST_US = 1;

interface Activity {
  subscribers: number;
  publications: number;
}

/** Measures a node between {@link start} and {@link stop}; at other times it costs nothing. */
export class Meter implements Observer {
  readonly #loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #handlers = createHistogram();
  readonly #active = new Map<string, Activity>();
  #totals = new Totals();
  #before: Traffic;
  #readAt = 0;
  #counts = { opened: 0, closed: 0, refused: 0 };
  #detach?: () => void;

  constructor(private readonly engine: Engine) {
    this.#before = this.#totals.trafficOf(undefined);
  }

  get isRunning(): boolean {
    return this.#detach !== undefined;
  }

  /** May be called while it measures. */
  start(): void {
    if (this.#detach) return;
    this.#totals = new Totals();
    this.#before = this.#totals.trafficOf(observedNode(this.engine));
    this.#forget(this.engine.clock.now());
    this.#loop.enable();
    this.#detach = this.engine.observers.attach(this);
  }

  /** May be called while it does not measure. */
  stop(): void {
    this.#loop.disable();
    this.#detach?.();
    this.#detach = undefined;
  }

  opened(): void {
    this.#counts.opened += 1;
  }

  closed(connection: ObservedConnection): void {
    this.#counts.closed += 1;
    this.#totals.add(connection);
  }

  refused(): void {
    this.#counts.refused += 1;
  }

  handled(_connection: ObservedConnection, _event: string, ms: number): void {
    this.#handlers.record(Math.max(LEAST_US, Math.round(ms * US_PER_MS)));
  }

  delivered(channel: string, subscribers: number): void {
    const known = this.#active.get(channel);
    if (known) {
      known.publications += 1;
      known.subscribers = subscribers;
    } else if (this.#active.size < MAX_CHANNELS) {
      this.#active.set(channel, { publications: 1, subscribers });
    }
  }

  /** What was measured since the last reading, or since the start. */
  read(): Measured {
    const now = this.engine.clock.now();
    const seconds = Math.max(1, now - this.#readAt) / MS_PER_SECOND;
    const sizes = this.engine.sizes();
    const busiest = this.#busiest(seconds);
    // Of those that were published to some have no subscriber by now, and are listed all the same.
    const present = busiest.filter(({ name }) => this.engine.hub.has(name));
    const measured = {
      connections: sizes['connections'] ?? 0,
      channels: sizes['channels'] ?? 0,
      subscriptions: sizes['subscriptions'] ?? 0,
      outboxBytes: sizes['outboxBytes'] ?? 0,
      slowReaders: sizes['slowReaders'] ?? 0,
      rates: this.#rates(seconds),
      handlers: this.#handlerTimes(),
      // It counts the time between two looks, of which the pause that was asked for is no delay.
      loopDelayMs: rounded(Math.max(0, this.#loop.percentile(99) / NS_PER_MS - RESOLUTION_MS)),
      busiest,
      moreChannels: this.engine.hub.size > present.length,
    };
    this.#forget(now);
    return measured;
  }

  #rates(seconds: number): NodeRates {
    const traffic = this.#totals.trafficOf(observedNode(this.engine));
    const before = this.#before;
    this.#before = traffic;
    const { opened, closed, refused } = this.#counts;
    return {
      received: rounded((traffic.messagesReceived - before.messagesReceived) / seconds),
      sent: rounded((traffic.messagesSent - before.messagesSent) / seconds),
      bytesReceived: Math.round((traffic.bytesReceived - before.bytesReceived) / seconds),
      bytesSent: Math.round((traffic.bytesSent - before.bytesSent) / seconds),
      opened: rounded(opened / seconds),
      closed: rounded(closed / seconds),
      refused: rounded(refused / seconds),
    };
  }

  #handlerTimes(): HandlerTimes {
    const { count, max } = this.#handlers;
    if (count === 0) return { count, p50Ms: 0, p99Ms: 0, maxMs: 0 };
    return {
      count,
      p50Ms: rounded(this.#handlers.percentile(50) / US_PER_MS),
      p99Ms: rounded(this.#handlers.percentile(99) / US_PER_MS),
      maxMs: rounded(max / US_PER_MS),
    };
  }

  #busiest(seconds: number): readonly ChannelFigures[] {
    const considered = new Map(this.#active);
    for (const [channel, subscribers] of this.engine.hub.channels()) {
      if (considered.size >= MAX_CHANNELS) break;
      if (!considered.has(channel)) considered.set(channel, { publications: 0, subscribers });
    }
    return [...considered]
      .toSorted(([, a], [, b]) => b.publications - a.publications || b.subscribers - a.subscribers)
      .slice(0, LISTED.channels)
      .map(([name, { publications, subscribers }]) => ({
        name,
        subscribers,
        publicationsPerSecond: rounded(publications / seconds),
      }));
  }

  #forget(now: number): void {
    this.#readAt = now;
    this.#counts = { opened: 0, closed: 0, refused: 0 };
    this.#handlers.reset();
    this.#loop.reset();
    this.#active.clear();
  }
}

/** As many digits as anybody looks at; each of the others would travel to every page. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

import { collectDefaultMetrics, register, type Registry } from 'prom-client';
import type { BrokerState } from '../core/broker.interface.js';
import type {
  AckOutcome,
  DrainReport,
  Failure,
  FaultKind,
  JoinOutcome,
  ObservedConnection,
  ObservedNode,
  Observer,
  Refusal,
} from '../core/observer.interface.js';
import { closeCode } from '../protocol/index.js';
import { defineMetrics, type Metrics } from './metrics.js';
import { oncePerTurn } from './once-per-turn.js';
import { Totals } from '../core/totals.js';

/** Options of {@link ChannelsMetrics}. */
export interface ChannelsMetricsOptions {
  /**
   * Where the metrics are registered, and what serves them: `registry.metrics()`.
   *
   * @default the registry of `prom-client` that everything of a process shares
   */
  readonly registry?: Registry;

  /**
   * Figures of the process as well, as `collectDefaultMetrics` of `prom-client` has them: CPU, memory, garbage
   * collection, the delay of the event loop. Where the registry has them already they are left as they are.
   *
   * @default true
   */
  readonly process?: boolean;
}

/** What a label says of which there may be any number, and that no operator has named. */
const OTHER = 'other';

/** One of the default metrics, by which it is seen that a registry has them. */
const A_PROCESS_METRIC = 'process_cpu_user_seconds_total';

const MS_PER_SECOND = 1_000;

/**
 * Prometheus metrics of a node, by `prom-client`: an observer for the option `observers`. Labels have a bounded number
 * of values, whatever peers send: gateways' paths, declared events, patterns of channels, codes and reasons of this
 * package. What each metric means, and what to do when it moves, stands in docs/operations.md.
 *
 * @example
 * ```ts
 * ChannelsModule.forRoot({ observers: [new ChannelsMetrics()] })
 * ```
 * @publicApi
 */
export class ChannelsMetrics implements Observer {
  readonly #metrics: Metrics;
  readonly #totals = new Totals();
  #node?: ObservedNode;

  constructor({ registry = register, process = true }: ChannelsMetricsOptions = {}) {
    this.#metrics = defineMetrics(registry, {
      connections: oncePerTurn(() => this.#totals.connectionsOf(this.#node)),
      traffic: oncePerTurn(() => this.#totals.trafficOf(this.#node)),
      sizes: oncePerTurn(() => this.#node?.sizes() ?? {}),
    });
    // A broker in memory never says anything.
    this.#metrics.brokerUp.set(1);
    if (process && !registry.getSingleMetric(A_PROCESS_METRIC)) collectDefaultMetrics({ register: registry });
  }

  started(node: ObservedNode): void {
    this.#node = node;
  }

  opened({ path, handshakeMs }: ObservedConnection): void {
    this.#metrics.opened.inc({ path });
    this.#metrics.handshakes.inc({ outcome: 'opened' });
    this.#metrics.handshakeSeconds.observe({ outcome: 'opened' }, handshakeMs / MS_PER_SECOND);
  }

  closed(connection: ObservedConnection, code: number): void {
    const { path, ageMs } = connection;
    this.#metrics.closed.inc({ path, code: closeCode(code) ? String(code) : OTHER });
    this.#metrics.connectionSeconds.observe(ageMs / MS_PER_SECOND);
    this.#totals.add(connection);
  }

  refused({ reason, durationMs }: Refusal): void {
    this.#metrics.handshakes.inc({ outcome: reason });
    this.#metrics.handshakeSeconds.observe({ outcome: 'refused' }, durationMs / MS_PER_SECOND);
  }

  faulted(_connection: ObservedConnection, kind: FaultKind): void {
    this.#metrics.faults.inc({ kind });
  }

  failed(_failure: Failure): void {
    this.#metrics.failures.inc();
  }

  handled(_connection: ObservedConnection, event: string, ms: number): void {
    this.#metrics.handlerSeconds.observe(event, ms / MS_PER_SECOND);
  }

  acked(_connection: ObservedConnection, event: string, outcome: AckOutcome): void {
    this.#metrics.acks.inc(event, outcome);
  }

  timed(_connection: ObservedConnection, ms: number): void {
    this.#metrics.roundTripSeconds.observe(ms / MS_PER_SECOND);
  }

  joined(_connection: ObservedConnection, channel: string, outcome: JoinOutcome): void {
    this.#metrics.joins.inc({ channel: this.#patternOf(channel), outcome });
  }

  published(channel: string): void {
    this.#metrics.publications.inc(this.#patternOf(channel));
  }

  accepted(ms: number): void {
    this.#metrics.publishSeconds.observe(ms / MS_PER_SECOND);
  }

  probed(ms: number): void {
    this.#metrics.probeSeconds.observe(ms / MS_PER_SECOND);
  }

  delivered(channel: string, subscribers: number): void {
    this.#metrics.deliveries.inc(this.#patternOf(channel), '', subscribers);
  }

  gap(_connection: ObservedConnection, channel: string): void {
    this.#metrics.gaps.inc({ channel: this.#patternOf(channel) });
  }

  dropped(_connection: ObservedConnection, channel: string, count: number): void {
    this.#metrics.dropped.inc({ channel: this.#patternOf(channel) }, count);
  }

  evicted(count: number): void {
    this.#metrics.evicted.inc(count);
  }

  flushed(ms: number): void {
    this.#metrics.flushSeconds.observe(ms / MS_PER_SECOND);
  }

  refreshed(): void {
    this.#metrics.refreshes.inc();
  }

  revoked(connections: number): void {
    this.#metrics.revocations.inc();
    this.#metrics.revokedConnections.inc(connections);
  }

  draining(): void {
    this.#metrics.draining.set(1);
  }

  drained({ left, stayed }: DrainReport): void {
    this.#metrics.drained.inc({ outcome: 'left' }, left);
    this.#metrics.drained.inc({ outcome: 'stayed' }, stayed);
  }

  brokerChanged(state: BrokerState): void {
    this.#metrics.brokerUp.set(state === 'ready' ? 1 : 0);
  }

  #patternOf(channel: string): string {
    return this.#node?.patternOf(channel) ?? OTHER;
  }
}

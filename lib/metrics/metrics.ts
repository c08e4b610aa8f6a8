import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Traffic } from '../core/observer.interface.js';
import { LateCounter } from './late-counter.js';
import { Timings } from './timings.js';

/** What is read off the node when somebody asks for the metrics. */
export interface Sources {
  connections(): ReadonlyMap<string, number>;
  traffic(): Traffic;
  sizes(): Readonly<Record<string, number>>;
}

/** From a tenth of a millisecond: what a handler in memory takes. */
const HANDLER_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const HANDSHAKE_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const FLUSH_SECONDS = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1];
/** Of a broker in the process, and of one that others keep busy. */
const BROKER_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
/** From the next room to a client that was away meanwhile. */
const ROUND_TRIP_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
/** From the page that is left at once to the tab that stays open for a day. */
const CONNECTION_SECONDS = [1, 10, 60, 300, 1_800, 3_600, 14_400, 86_400];

export type Metrics = ReturnType<typeof defineMetrics>;

/** Registers all metrics. Each stands in docs/operations.md, with what to do when it moves. */
export function defineMetrics(registry: Registry, sources: Sources) {
  const registers = [registry];
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[] = [],
  ): Counter<Label> => new Counter({ name: `channels_${name}`, help, labelNames, registers });
  const late = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly [Label, Label?],
  ): LateCounter<Label> => new LateCounter({ name: `channels_${name}`, help, labelNames }, registry);
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ): Histogram<Label> => new Histogram({ name: `channels_${name}`, help, buckets, labelNames, registers });
  const gauge = (name: string, help: string, read?: () => number): Gauge =>
    new Gauge({
      name: `channels_${name}`,
      help,
      registers,
      collect() {
        if (read) this.set(read());
      },
    });
  /** A counter that somebody else counts. */
  const total = (name: string, help: string, read: () => number): Counter =>
    new Counter({
      name: `channels_${name}`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  const connections = new Gauge({
    name: 'channels_connections',
    help: 'Connections that are open, by the path of their gateways',
    labelNames: ['path'],
    registers,
    collect() {
      this.reset();
      for (const [path, count] of sources.connections()) this.set({ path }, count);
    },
  });
  total('messages_received_total', 'Messages of peers', () => sources.traffic().messagesReceived);
  total('messages_sent_total', 'Frames written for peers', () => sources.traffic().messagesSent);
  total('bytes_received_total', 'Bytes of peers, framing included', () => sources.traffic().bytesReceived);
  total('bytes_sent_total', 'Bytes written for peers, framing included', () => sources.traffic().bytesSent);
  gauge(
    'subscriptions',
    'Channels that connections are in, together',
    () => sources.sizes()['subscriptions'] ?? 0,
  );
  gauge('channels', 'Channels with a subscriber here', () => sources.sizes()['channels'] ?? 0);
  gauge('outbox_bytes', 'Bytes that peers have not taken yet', () => sources.sizes()['outboxBytes'] ?? 0);
  gauge('slow_readers', 'Connections for which publications wait', () => sources.sizes()['slowReaders'] ?? 0);
  gauge('unanswered_messages', 'Messages whose handlers run', () => sources.sizes()['unanswered'] ?? 0);
  return {
    connections,
    opened: counter('connections_opened_total', 'Connections that guards have let in', ['path']),
    closed: counter('connections_closed_total', 'Connections that have ended, by close code', [
      'path',
      'code',
    ]),
    connectionSeconds: histogram(
      'connection_duration_seconds',
      'How long connections were open',
      CONNECTION_SECONDS,
    ),
    handshakes: counter('handshakes_total', 'Upgrades, opened or refused for a reason', ['outcome']),
    handshakeSeconds: histogram(
      'handshake_duration_seconds',
      'From the request to the upgrade or the refusal, guards included',
      HANDSHAKE_SECONDS,
      ['outcome'],
    ),
    faults: counter('faults_total', 'What peers have sent that they should not', ['kind']),
    failures: counter('failures_total', 'Code of the application that has thrown what is no answer'),
    handlerSeconds: new Timings(
      {
        name: 'channels_handler_duration_seconds',
        help: 'How long handlers took, guards and pipes included',
        buckets: HANDLER_SECONDS,
        label: 'event',
      },
      registry,
    ),
    acks: late(
      'acks_total',
      'Final answers to messages with an id; repeated ones come from the dedup store',
      ['event', 'outcome'],
    ),
    roundTripSeconds: histogram(
      'ack_round_trip_seconds',
      'From a message to its answer, as clients have measured it, reconnects included',
      ROUND_TRIP_SECONDS,
    ),
    joins: counter('joins_total', 'Joins of channels: new, recovered, or with a gap', ['channel', 'outcome']),
    publications: late('publications_total', 'Publications that the broker has accepted from here', [
      'channel',
    ]),
    publishSeconds: histogram(
      'publish_duration_seconds',
      'How long the broker took to accept a publication from here',
      BROKER_SECONDS,
    ),
    probeSeconds: histogram(
      'broker_probe_duration_seconds',
      'From a publication of this node, through the broker, back to it, by a probe',
      BROKER_SECONDS,
    ),
    deliveries: late('deliveries_total', 'Publications handed to subscribers here', ['channel']),
    gaps: counter('gaps_total', 'Subscribers who were told that they have missed something', ['channel']),
    dropped: counter('dropped_total', 'Publications that slow readers did not get', ['channel']),
    evicted: counter('evicted_answers_total', 'Stored answers that went before their time'),
    flushSeconds: histogram(
      'flush_duration_seconds',
      'From the first frame of a turn of the event loop to its writes',
      FLUSH_SECONDS,
    ),
    refreshes: counter('token_refreshes_total', 'New tokens taken on living connections'),
    revocations: counter('revocations_total', 'Revocations, from here or from other nodes'),
    revokedConnections: counter('revoked_connections_total', 'Connections ended by a revocation'),
    draining: gauge('draining', '1 while the node moves its clients to others, and until it has shut down'),
    drained: counter('drained_clients_total', 'Clients of a drain: left, or still there when it was over', [
      'outcome',
    ]),
    brokerUp: gauge('broker_up', '1 while the broker is ready, 0 while it is away or deaf'),
  };
}

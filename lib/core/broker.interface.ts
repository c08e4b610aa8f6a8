import type { ChannelRegistry } from './channel-registry.interface.js';
import type { Clock } from './clock.interface.js';
import type { DedupStore } from './dedup-store.interface.js';
import type { PresenceStore } from './presence-store.interface.js';
import type { RateStore } from './rate-store.interface.js';
import type { Nodes } from './nodes.interface.js';
import type { Random } from './random.interface.js';
import type { RevocationStore } from './revocation-store.interface.js';

/** Where a channel with history stands, or one of its publications. */
export interface Position {
  /** Names one life of the history. A broker that has forgotten the history begins another one. */
  readonly epoch: string;
  /** 1 for the first publication of an epoch, one more for each that follows; 0 before the first. */
  readonly offset: number;
}

/** What a channel keeps of its publications. */
export interface HistoryRule {
  /** How many, the newest of them. */
  readonly size: number;
  /** For how long each of them, in milliseconds. */
  readonly ttlMs: number;
}

/** What travels from a publisher to the nodes that serve a channel. */
export interface Publication {
  readonly channel: string;
  readonly event: string;
  /** The data as JSON text; absent where there is none. */
  readonly data?: string;
  /** The connection that must not get it. Not on channels with history. */
  readonly except?: string;
  /** Given by the broker on channels with history. */
  readonly position?: Position;
}

/** How a publication of a channel with history is kept. */
export interface PublishRule {
  readonly history: HistoryRule;
  /** A second publication with the same key is not made while the first is in the history. */
  readonly key?: string;
}

/** Which part of a history is read. */
export interface HistoryQuery {
  /** Only those behind this offset. */
  readonly after?: number;
  /** At most so many publications. */
  readonly limit: number;
  /**
   * At most so many bytes, unless the first alone has more. Each publication counts with its event and its data
   * as JSON texts, and 45 bytes for what `$history` puts around them.
   */
  readonly maxBytes: number;
  /** From the newest to the oldest. */
  readonly reverse?: boolean;
}

/** A part of a history, read in one moment. */
export interface HistoryPage {
  /** Where the channel stands: the epoch, and the offset of the newest publication, kept or not. */
  readonly position: Position;
  /** Offset of the oldest publication that is kept; one more than that of the newest where none is. */
  readonly oldest: number;
  /** In order, or in reverse where the query asks for it. */
  readonly publications: readonly Publication[];
}

/**
 * Takes the publications of the channels that this node has subscribed to. It drops others: a broker
 * may hand over those of channels that the node has left, or never asked for.
 */
export type PublicationSink = (publication: Publication) => void;

/**
 * Whether a broker reaches the other nodes. `away`: nothing gets out or in. `deaf`: what this node publishes gets
 * out, but nothing comes in.
 */
export type BrokerState = 'ready' | 'away' | 'deaf';

/** The node that a broker works for, as the broker sees it. */
export interface BrokerNode {
  readonly clock: Clock;
  readonly random: Random;

  /**
   * Publications may have been lost, of these channels or of all that the node is in. The node looks where each
   * one with a history stands, and tells the subscribers of the others by `$gap`.
   */
  unsure(channels?: Iterable<string>): void;

  /** The state has changed; `reason` is for the operator. The first state of a broker is `ready`. */
  stateChanged(state: BrokerState, reason: string): void;

  /** What this node has published has come back to it after so many milliseconds: by a probe, now and then. */
  probed(ms: number): void;

  /** There is something that an operator should change. */
  warn(text: string): void;

  /** Something has failed that nobody waits for. */
  failed(where: string, error: unknown): void;
}

/**
 * Port between publishers and nodes.
 *
 * Guarantees an implementation gives: publications of one channel that are published one after the
 * other reach every sink in that order, each at most once; `subscribe` and `unsubscribe` of one
 * channel take effect in the order in which they are called; after `subscribe` has resolved, no
 * publication that is accepted later is missed while the broker is reachable.
 *
 * It need not tell the publisher's own node apart: that node is reached through its sink, too.
 */
export interface Broker {
  /** Keeps the answers of acked handlers for all nodes, unless the option `dedupStore` names another store. */
  readonly dedupStore?: DedupStore;

  /** Who is in which channel over all nodes; without it every node knows its own alone. */
  readonly presence?: PresenceStore;

  /** The other nodes, for what is asked of all. Without it this node is the only one. */
  readonly nodes?: Nodes;

  /** Remembers revocations for all nodes; without it each node remembers what it hears of. */
  readonly revocations?: RevocationStore;

  /** Where nodes tell what their channels keep. Without it nobody checks what others publish. */
  readonly registry?: ChannelRegistry;

  /** The points of principals, shared by all nodes. Without it each counts by itself. */
  readonly rates?: RateStore;

  /** Called once, before anything else. Rejects where the node must not start without the broker. */
  start(sink: PublicationSink, node: BrokerNode): Promise<void> | void;

  /**
   * Resolves when the broker has accepted it, not when peers received it; with its position where the
   * channel has a history. Rejects with `unavailable` when it could not be accepted.
   *
   * With a rule the publication gets the next offset, is kept, and reaches the sinks with its position.
   * Where the key of the rule is that of a publication that is kept, nothing happens, and the position
   * is that of the first.
   */
  publish(
    publication: Publication,
    rule?: PublishRule,
  ): Promise<Position | undefined | void> | Position | undefined | void;

  /**
   * Where a channel with history stands. One that has had no publication stands at 0 of an epoch that its
   * first publication will have, as long as a node has subscribed to it, and asks at least every 120 s. It is to be
   * kept for twice as long, since a question may fail.
   *
   * Rejects with `unavailable`, as a `ChannelsError`, when it cannot be had: the peer may try again. Anything
   * else that it rejects with is `internal` for the peer, and goes to the log.
   */
  position(channel: string, rule: HistoryRule): Promise<Position> | Position;

  /**
   * Reads a history. Never skips a publication that is kept within what it returns. Rejects as
   * {@link position} does.
   */
  history(channel: string, rule: HistoryRule, query: HistoryQuery): Promise<HistoryPage> | HistoryPage;

  /**
   * This node has its first subscriber of `channel`. Rejects with `unavailable` when its publications
   * cannot be had; the node then asks again for the next subscriber.
   */
  subscribe(channel: string): Promise<void> | void;

  /** This node has lost its last subscriber of `channel`. */
  unsubscribe(channel: string): Promise<void> | void;

  /** Ends the broker. May be called twice. */
  close(): Promise<void> | void;

  /** How many entries its tables have that grow with what peers do, by name: for operators. */
  sizes?(): Readonly<Record<string, number>>;
}

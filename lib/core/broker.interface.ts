/** What travels from a publisher to the nodes that serve a channel. */
export interface Publication {
  readonly channel: string;
  readonly event: string;
  /** The data as JSON text; absent where there is none. */
  readonly data?: string;
  /** The connection that must not get it. */
  readonly except?: string;
}

/**
 * Takes the publications of the channels that this node has subscribed to. It drops others: a broker
 * may hand over those of channels that the node has left, or never asked for.
 */
export type PublicationSink = (publication: Publication) => void;

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
  /** Called once, before anything else. */
  start(sink: PublicationSink): Promise<void> | void;

  /**
   * Resolves when the broker has accepted it, not when peers received it. Rejects with
   * `unavailable` when it could not be accepted.
   */
  publish(publication: Publication): Promise<void> | void;

  /**
   * This node has its first subscriber of `channel`. Rejects with `unavailable` when its publications
   * cannot be had; the node then asks again for the next subscriber.
   */
  subscribe(channel: string): Promise<void> | void;

  /** This node has lost its last subscriber of `channel`. */
  unsubscribe(channel: string): Promise<void> | void;

  /** Ends the broker. May be called twice. */
  close(): Promise<void> | void;
}

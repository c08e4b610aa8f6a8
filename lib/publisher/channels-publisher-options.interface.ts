import type { Broker } from '../core/broker.interface.js';
import type { ChannelDefinition } from '../core/channel-definition.js';
import type { Observer } from '../core/observer.interface.js';

/**
 * Options of `ChannelsPublisherModule.forRoot()`.
 *
 * @publicApi
 */
export interface ChannelsPublisherModuleOptions {
  /** The way to the nodes: the same kind of broker as theirs, with the same server and prefix. */
  broker: Broker;

  /**
   * The channels that are published to, where they have options. Share one `defineChannel(...)` with the gateways: a
   * publish that contradicts what the nodes have defined is refused.
   */
  channels?: readonly ChannelDefinition[];

  /**
   * The longest data, in bytes of JSON: that of the nodes.
   *
   * @default 65_536
   */
  maxMessageBytes?: number;

  /**
   * The longest event name, in characters: that of the nodes.
   *
   * @default 128
   */
  maxEventLength?: number;

  /**
   * How deep the JSON of a publication may nest, its frame being the first level: that of the nodes.
   *
   * @default 32
   */
  maxNesting?: number;

  /** Get what is published and what fails, beside the log. */
  observers?: readonly Observer[];
}

/**
 * Options beside those that `forRootAsync` can resolve.
 *
 * @publicApi
 */
export interface ChannelsPublisherModuleExtras {
  /**
   * Makes the `ChannelsPublisher` available everywhere.
   *
   * @default true
   */
  isGlobal?: boolean;
}

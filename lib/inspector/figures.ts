import type { BrokerState } from '../core/broker.interface.js';

/** Of the figures of a node; a page leaves out those of a node that counts in another way. */
export const FIGURES_VERSION = 1;

/** Where every node publishes its figures. The first segment keeps it from patterns of applications. */
export const INSPECTOR_CHANNEL = 'nestjs-channels:inspector:figures';

/** The event of a publication, and of what a node tells its own pages while the broker is away. */
export const FIGURES_EVENT = 'inspector.figures';

/** How many channels a node lists, and connections all of them together. */
export const LISTED = { channels: 50, connections: 200, channelsOfConnection: 8 } as const;

/** One channel with subscribers on a node. */
export interface ChannelFigures {
  readonly name: string;
  readonly subscribers: number;
  readonly publicationsPerSecond: number;
}

/** What happened on a node in the time since its last figures, by second. */
export interface NodeRates {
  /** Messages of peers. */
  readonly received: number;
  /** Frames for peers. */
  readonly sent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Connections that came, went and were turned away. */
  readonly opened: number;
  readonly closed: number;
  readonly refused: number;
}

/** How long handlers took, guards and pipes included; zeros where none has run. */
export interface HandlerTimes {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What a node tells of itself, about once a second, while somebody looks. */
export interface NodeFigures {
  readonly v: typeof FIGURES_VERSION;
  readonly node: string;
  readonly connections: number;
  /** Pages of the inspector among them. */
  readonly watchers: number;
  readonly channels: number;
  readonly subscriptions: number;
  readonly outboxBytes: number;
  readonly slowReaders: number;
  readonly rates: NodeRates;
  readonly handlers: HandlerTimes;
  /** By how much the event loop was late, at the 99th percentile. */
  readonly loopDelayMs: number;
  readonly broker: BrokerState;
  /** Those with most publications, then those with most subscribers. */
  readonly busiest: readonly ChannelFigures[];
  readonly moreChannels: boolean;
  /** Nodes that were asked for figures and have not answered. */
  readonly missing: readonly string[];
}

/** Which connections are asked for; all where both are absent. */
export interface ConnectionQuery {
  readonly principal?: string;
  readonly channel?: string;
}

/** A connection in the list. */
export interface ListedConnection {
  readonly id: string;
  /** Empty when anonymous. */
  readonly principal: string;
  readonly path: string;
  /** The first of its channels. */
  readonly channels: readonly string[];
  /** How many it has. */
  readonly channelCount: number;
}

export interface ConnectionList {
  readonly connections: readonly ListedConnection[];
  /** There are more than these. */
  readonly more: boolean;
  /** Nodes that have not answered. */
  readonly missing: readonly string[];
  /** The connection of the page that asks. */
  readonly own: string;
}

/** What has become of a button. */
export interface Outcome {
  readonly disconnected: number;
  /** Nodes that have not answered. */
  readonly missing: readonly string[];
}

/** The contract of the page with the server. */
export interface InspectorApi {
  messages: {
    'inspector.connections': (query: ConnectionQuery) => ConnectionList;
    'inspector.disconnect': (target: { readonly connectionId: string }) => Outcome;
    'inspector.revoke': (target: { readonly principal: string }) => Outcome;
  };
  events: { [FIGURES_EVENT]: NodeFigures };
  channels: { [INSPECTOR_CHANNEL]: { joined: undefined; events: { [FIGURES_EVENT]: NodeFigures } } };
}

import { Inject, Injectable } from '@nestjs/common';
import type { Broker } from '../core/broker.interface.js';
import { checkChannelName } from '../core/channel-name.js';
import type { ChannelSocket } from '../core/channel-socket.js';
import type { Connection } from '../core/connection.js';
import { Engine } from '../core/engine.js';
import { ChannelsError } from '../core/errors.js';
import { checkEventName } from '../core/event-name.js';
import { CLOSE_CODES, type ErrorCode } from '../protocol/index.js';
import { CHANNELS_BROKER } from './tokens.js';

/** How many nodes were asked, and which gave no answer in time. */
export interface NodesAnswered {
  readonly expected: number;
  readonly answered: number;
  readonly missing: readonly string[];
}

/** One connection, as it can be told to others. */
export interface ConnectionSummary {
  readonly id: string;
  /** Empty when anonymous. */
  readonly principal: string;
  readonly path: string;
  readonly channels: readonly string[];
}

/** Which connections are meant. With several members, those that fit all of them. */
export interface ConnectionFilter {
  readonly connectionId?: string;
  readonly principal?: string;
  /** Those that are in this channel. */
  readonly channel?: string;
}

/** Who does not get a publication. */
export interface PublishOptions {
  /** A connection that does not get it, usually the one that caused it: a client or its id. */
  readonly except?: ChannelSocket | string;
}

/** How {@link ChannelsService.disconnect} closes, and so what the clients do next. */
export interface DisconnectOptions {
  /** Close with 1012 instead of 1000: the client comes back at once, and its guards run again. */
  readonly reconnect?: boolean;
}

/**
 * What the application does with channels and connections, from anywhere.
 *
 * @publicApi
 */
@Injectable()
export class ChannelsService {
  /** @internal */
  constructor(
    private readonly engine: Engine,
    @Inject(CHANNELS_BROKER) private readonly broker: Broker,
  ) {}

  /**
   * Publishes to every subscriber on every node. Resolves when the broker has accepted it, not when
   * peers received it. The data is encoded before the call returns: what changes later is not sent.
   *
   * @throws ChannelsError `bad_request` for a channel or an event that cannot be one or for data
   * without JSON, `payload_too_large` past `maxMessageBytes`, `unavailable` while the broker is away
   */
  async publish(channel: string, event: string, data?: unknown, options: PublishOptions = {}): Promise<void> {
    checkChannelName(channel);
    checkEventName(event, this.engine.options.maxEventLength);
    const { except } = options;
    await this.broker.publish({
      channel,
      event,
      data: this.#encode(data),
      except: typeof except === 'object' ? except.id : except,
    });
    this.engine.observers.published(channel, event);
  }

  /**
   * Joins a client to a channel without its asking. No guard or method runs; the client is told by
   * `$subscribed`.
   *
   * @throws ChannelsError `bad_request` for what is no channel name, `limit_exceeded`, `unavailable`
   */
  async subscribe(client: ChannelSocket, channel: string): Promise<void> {
    await client.subscribe(channel);
  }

  /** Takes a client out of a channel and tells it by `$unsubscribed`. */
  async unsubscribe(
    client: ChannelSocket,
    channel: string,
    reason?: { code?: ErrorCode; reason?: string },
  ): Promise<void> {
    await client.unsubscribe(channel, reason);
  }

  /**
   * Closes connections with 1000, after which a client stays away, or with 1012. An empty filter
   * matches nothing.
   */
  async disconnect(
    filter: ConnectionFilter,
    options: DisconnectOptions = {},
  ): Promise<{ readonly disconnected: number; readonly nodes: NodesAnswered }> {
    const { code, reason } = options.reconnect ? CLOSE_CODES.ServiceRestart : CLOSE_CODES.Normal;
    const targets = isEmpty(filter) ? [] : this.#find(filter);
    for (const connection of targets) connection.close(code, reason);
    return { disconnected: targets.length, nodes: THIS_NODE };
  }

  /** The connections that are in a channel now. */
  async subscribers(
    channel: string,
  ): Promise<{ readonly subscribers: readonly ConnectionSummary[]; readonly nodes: NodesAnswered }> {
    return { subscribers: this.#find({ channel }).map(summarize), nodes: THIS_NODE };
  }

  /** All connections, or those that a filter fits. */
  async connections(
    filter: ConnectionFilter = {},
  ): Promise<{ readonly connections: readonly ConnectionSummary[]; readonly nodes: NodesAnswered }> {
    return { connections: this.#find(filter).map(summarize), nodes: THIS_NODE };
  }

  #find(filter: ConnectionFilter): Connection[] {
    return [...this.#candidates(filter)].filter(
      (connection) =>
        connection.writable &&
        (filter.connectionId === undefined || connection.id === filter.connectionId) &&
        (filter.principal === undefined || connection.info.principal === filter.principal) &&
        (filter.channel === undefined || connection.subscriptions.has(filter.channel)),
    );
  }

  #candidates({ connectionId, channel }: ConnectionFilter): Iterable<Connection> {
    if (connectionId !== undefined) {
      const connection = this.engine.connections.get(connectionId);
      return connection ? [connection] : [];
    }
    if (channel === undefined) return this.engine.connections.values();
    return [...this.engine.hub.subscribers(channel)].map(({ connection }) => connection);
  }

  #encode(data: unknown): string | undefined {
    let json: string | undefined;
    try {
      json = JSON.stringify(data) as string | undefined;
    } catch (error) {
      throw new ChannelsError('bad_request', 'the data of a publication has no JSON', { cause: error });
    }
    const { maxMessageBytes } = this.engine.options;
    const bytes = json === undefined ? 0 : Buffer.byteLength(json);
    if (bytes <= maxMessageBytes) return json;
    throw new ChannelsError(
      'payload_too_large',
      `the data of a publication (${bytes} bytes) is over maxMessageBytes (${maxMessageBytes})`,
    );
  }
}

const THIS_NODE: NodesAnswered = { expected: 1, answered: 1, missing: [] };

/** Goes by the members that it knows: one with a name that is misspelt must not mean everybody. */
function isEmpty({ connectionId, principal, channel }: ConnectionFilter): boolean {
  return connectionId === undefined && principal === undefined && channel === undefined;
}

function summarize(connection: Connection): ConnectionSummary {
  return {
    id: connection.id,
    principal: connection.info.principal,
    path: connection.endpoint.path,
    channels: [...connection.subscriptions.channels()],
  };
}

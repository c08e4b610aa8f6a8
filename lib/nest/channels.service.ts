import { Inject, Injectable } from '@nestjs/common';
import type { Broker, HistoryRule, Position, Publication } from '../core/broker.interface.js';
import { checkChannelName } from '../core/channel-name.js';
import type { ChannelSocket } from '../core/channel-socket.js';
import { parseLimit, parsePosition } from '../core/commands.js';
import type { Connection } from '../core/connection.js';
import { Engine } from '../core/engine.js';
import { ChannelsError } from '../core/errors.js';
import { checkEventName } from '../core/event-name.js';
import type { PresenceMember } from '../core/presence-store.interface.js';
import { readHistory } from '../core/read-history.js';
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

  /**
   * Publishes once: a second publication of the same key to the channel is not made while the first is in its
   * history. Only on channels with history.
   */
  readonly key?: string;
}

/** Which part of a history is asked for. */
export interface HistoryOptions {
  /**
   * At most so many publications: a whole number of at least 1.
   *
   * @default all that are kept
   */
  readonly limit?: number;
  /** Only those behind this position, where it is of the same epoch. */
  readonly since?: Position;
  /** From the newest to the oldest. */
  readonly reverse?: boolean;
}

/** A publication out of a history. */
export interface HistoryItem {
  readonly event: string;
  readonly data?: unknown;
  readonly offset: number;
}

/** What a channel has kept, and where it stands. */
export interface ChannelHistoryPage extends Position {
  readonly publications: readonly HistoryItem[];
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
   * @throws ChannelsError `bad_request` for a channel or an event that cannot be one, for data
   * without JSON, for `except` on a channel with history and `key` on one without, `payload_too_large` past
   * `maxMessageBytes`, `unavailable` while the broker is away
   */
  async publish(channel: string, event: string, data?: unknown, options: PublishOptions = {}): Promise<void> {
    checkChannelName(channel);
    checkEventName(event, this.engine.options.maxEventLength);
    const history = this.engine.catalog.historyOf(channel);
    checkFitting(channel, history, options);
    const { except, key } = options;
    const publication = {
      channel,
      event,
      data: this.#encode(data),
      except: typeof except === 'object' ? except.id : except,
    };
    await this.broker.publish(publication, history && { history, key });
    this.engine.observers.published(channel, event);
  }

  /**
   * What a channel has kept. In a `@SubscribeChannel` method `history(name, { limit: 1, reverse: true })` is the
   * last value.
   *
   * @throws ChannelsError `bad_request` for a channel without history, and for a `limit` or `since` that is none,
   * `unavailable` while the broker is away
   */
  async history(channel: string, options: HistoryOptions = {}): Promise<ChannelHistoryPage> {
    checkChannelName(channel);
    const rule = this.engine.catalog.historyOf(channel);
    if (!rule) throw new ChannelsError('bad_request', `${JSON.stringify(channel)} has no history`);
    const { reverse } = options;
    const limit = parseLimit(options.limit) ?? rule.size;
    const since = parsePosition(options.since);
    const query = { limit, maxBytes: Number.POSITIVE_INFINITY, reverse };
    const page = await readHistory(this.broker, channel, rule, query, since);
    return { ...page.position, publications: page.publications.map(toItem) };
  }

  /**
   * Who is in a channel, on all nodes. In a `@SubscribeChannel` method: who was there before.
   *
   * @throws ChannelsError `bad_request` for a channel without `presence`, `unavailable` while the broker is away
   */
  async presence(channel: string): Promise<readonly PresenceMember[]> {
    checkChannelName(channel);
    if (!this.engine.catalog.hasPresence(channel)) {
      throw new ChannelsError('bad_request', `${JSON.stringify(channel)} has no presence`);
    }
    const { members } = await this.engine.presence.store.members(channel, Number.POSITIVE_INFINITY);
    return members;
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

function toItem({ event, data, position }: Publication): HistoryItem {
  return { event, data: data === undefined ? undefined : JSON.parse(data), offset: position?.offset ?? 0 };
}

function checkFitting(
  channel: string,
  history: HistoryRule | undefined,
  { except, key }: PublishOptions,
): void {
  if (history && except !== undefined) {
    throw new ChannelsError('bad_request', `"except" is not for ${channel}, which has a history`);
  }
  if (!history && key !== undefined) {
    throw new ChannelsError('bad_request', `"key" is not for ${channel}, which has no history`);
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

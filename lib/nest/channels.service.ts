import { Inject, Injectable } from '@nestjs/common';
import type { Broker, Position, Publication } from '../core/broker.interface.js';
import { checkChannelName } from '../core/channel-name.js';
import type { ChannelSocket } from '../core/channel-socket.js';
import { parseLimit, parsePosition } from '../core/commands.js';
import type { ConnectionFilter, ConnectionSummary } from '../core/connection-filter.js';
import { Engine } from '../core/engine.js';
import { ChannelsError } from '../core/errors.js';
import type { NodeHealth } from '../core/node-health.interface.js';
import type { NodesAnswered } from '../core/nodes.interface.js';
import type { DrainReport } from '../core/observer.interface.js';
import { MAX_TIMER_MS } from '../core/options.js';
import type { PresenceMember } from '../core/presence-store.interface.js';
import { readHistory } from '../core/read-history.js';
import type { RevocationTarget } from '../core/revocation-store.interface.js';
import type { ErrorCode } from '../protocol/index.js';
import { HealthObserver } from './health.observer.js';
import { CHANNELS_BROKER } from './tokens.js';

/** Who does not get a publication. */
export interface PublishOptions {
  /** A connection that does not get it, usually the one that caused it: a client or its id. */
  readonly except?: ChannelSocket | string;

  /**
   * Publishes once: a second publication of the same key to the channel is not made while the first is in its
   * history. Only on channels with history. 1 to 255 characters, well-formed Unicode.
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

/** How much of what the nodes know is told. */
export interface ListOptions {
  /**
   * At most so many connections of each node: a whole number of at least 1. Another node tells no more than 2 MiB of
   * them, and all others together no more than 16 MiB, whatever this says.
   *
   * @default 10_000
   */
  readonly limit?: number;
}

/** How {@link ChannelsService.disconnect} closes, and so what the clients do next. */
export interface DisconnectOptions {
  /** Close with 1012 instead of 1000: the client comes back at once, and its guards run again. */
  readonly reconnect?: boolean;
}

/** How {@link ChannelsService.drain} goes about it. */
export interface DrainCallOptions {
  /**
   * How long the clients get.
   *
   * @default `drainWindowMs` of the module
   */
  readonly windowMs?: number;
}

/** For how long {@link ChannelsService.revoke} is remembered. */
export interface RevokeOptions {
  /**
   * When every token that is meant has ended: a `Date`, or milliseconds since the epoch.
   *
   * @default `revocationTtlMs` from now on, or as long as the longest session lasts that this node has seen
   */
  readonly until?: Date | number;
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
    private readonly observed: HealthObserver,
  ) {}

  /**
   * Publishes to every subscriber on every node. Resolves when the broker has accepted it, not when
   * peers received it. The data is encoded before the call returns: what changes later is not sent.
   *
   * @throws ChannelsError `bad_request` for a channel or an event that cannot be one, for data
   * without JSON, for `except` on a channel with history, `key` on one without and one that cannot be a key, `payload_too_large` past
   * `maxMessageBytes`, `unavailable` while the broker is away
   */
  async publish(channel: string, event: string, data?: unknown, options: PublishOptions = {}): Promise<void> {
    const { except, key } = options;
    await this.engine.publisher.publish(channel, event, data, {
      except: typeof except === 'object' ? except.id : except,
      key,
    });
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
   * Closes connections on all nodes with 1000, after which a client stays away, or with 1012. Those of this node are
   * closing when the call returns, those of the others when it resolves. An empty filter matches nothing.
   *
   * Never rejects because of another node: who has not answered within `controlTimeoutMs` is named in
   * `nodes.missing`. Such a node does it late where it was only slow, and not at all where the question was lost; ask
   * again while nodes are missing, or refuse at the handshake what must not come back.
   */
  async disconnect(
    filter: ConnectionFilter,
    options: DisconnectOptions = {},
  ): Promise<{ readonly disconnected: number; readonly nodes: NodesAnswered }> {
    return this.engine.control.disconnect(filter, options.reconnect === true);
  }

  /**
   * Ends all sessions of a user, or those with a claim, such as `{ claim: { name: 'sid', value } }`: closes their
   * connections on all nodes with 4503, after which a client stays away, and refuses them at the handshake (403) and at
   * `$refresh` from now on, on every node that shares the broker, also one that starts later. Remembered until `until`,
   * by default for `revocationTtlMs`. A session that says it was issued later (`issuedAt`, the `iat` of a token) is
   * welcome: `iat` counts whole seconds, so that a token of the same second is refused as well. May be called again; of
   * two calls for one target the later times hold.
   *
   * Those of this node are closing when the call returns, those of the others when it resolves. A node in
   * `nodes.missing` learns it within a second of when it reaches the store.
   *
   * @throws ChannelsError `bad_request` for a target that names nobody, and for an `until` that is no time to come;
   * `limit_exceeded` past `maxRevocations`: the connections are closed, and nothing is remembered; `unavailable` while
   * the store is away: this node knows it, and tells the others when the store is back, unless it ends before, so call
   * again
   */
  async revoke(
    target: RevocationTarget,
    options: RevokeOptions = {},
  ): Promise<{ readonly disconnected: number; readonly nodes: NodesAnswered }> {
    return this.engine.control.revoke(target, options.until);
  }

  /**
   * Moves the clients of this node to others: takes nobody new on, and tells each client in a slot of its own to
   * connect elsewhere (`$drain`). Resolves when no client of this library is left, at the latest at the end of the
   * window. Who is still there is served until the application shuts down, as it does at once then. What to call
   * before that, where the platform waits for it; the shutdown does the same by itself. There is no way back, and a
   * second call gives what the first one does.
   *
   * @throws ChannelsError `bad_request` for a `windowMs` that is none
   */
  async drain({ windowMs = this.engine.options.drainWindowMs }: DrainCallOptions = {}): Promise<DrainReport> {
    if (!Number.isSafeInteger(windowMs) || windowMs < 0 || windowMs > MAX_TIMER_MS) {
      const range = `a whole number from 0 to ${MAX_TIMER_MS}`;
      throw new ChannelsError('bad_request', `windowMs (${String(windowMs)}) must be ${range}`);
    }
    return this.engine.departure.drain(windowMs);
  }

  /**
   * The connections that are in a channel now, on all nodes, those of this node first. `more`: there are others, which
   * a limit has cut off. What `nodes.missing` nodes have is not among them.
   *
   * @throws ChannelsError `bad_request` for a `limit` that is none
   */
  async subscribers(
    channel: string,
    options: ListOptions = {},
  ): Promise<{
    readonly subscribers: readonly ConnectionSummary[];
    readonly more: boolean;
    readonly nodes: NodesAnswered;
  }> {
    const { connections, ...others } = await this.connections({ channel }, options);
    return { subscribers: connections, ...others };
  }

  /**
   * All connections of all nodes, or those that a filter fits; those of this node first. `more` and `nodes` as with
   * {@link subscribers}.
   *
   * @throws ChannelsError `bad_request` for a `limit` that is none
   */
  async connections(
    filter: ConnectionFilter = {},
    options: ListOptions = {},
  ): Promise<{
    readonly connections: readonly ConnectionSummary[];
    readonly more: boolean;
    readonly nodes: NodesAnswered;
  }> {
    return this.engine.control.connections(filter, parseLimit(options.limit) ?? LISTED_PER_NODE);
  }

  /** How this node is now, and none of the others. `nestjs-channels/health` makes readiness and liveness of it. */
  health(): NodeHealth {
    return this.observed.healthOf(this.engine);
  }
}

/** How many connections a node tells, unless the call says it. */
const LISTED_PER_NODE = 10_000;

function toItem({ event, data, position }: Publication): HistoryItem {
  return { event, data: data === undefined ? undefined : JSON.parse(data), offset: position?.offset ?? 0 };
}

import type {
  Broker,
  BrokerNode,
  BrokerState,
  HistoryPage,
  HistoryQuery,
  HistoryRule,
  Position,
  Publication,
  PublicationSink,
  PublishRule,
} from '../core/broker.interface.js';
import type { RateStore } from '../core/rate-store.interface.js';
import type { PresenceStore } from '../core/presence-store.interface.js';
import type { ChannelRegistry } from '../core/channel-registry.interface.js';
import type { Nodes } from '../core/nodes.interface.js';
import type { DedupStore } from '../core/dedup-store.interface.js';
import type { RevocationStore } from '../core/revocation-store.interface.js';
import { FollowedChannels } from './followed-channels.js';
import { Keys } from './keys.js';
import { MissedByOthers } from './missed-by-others.js';
import { BODY_OVERHEAD, decodeBody, decodeMessage, encodeBody, encodeMessage } from './node-message.js';
import { adviceOnMemory } from './memory-policy.js';
import { RedisChannelRegistry } from './redis-channel-registry.js';
import { RedisDedupStore } from './redis-dedup-store.js';
import { RedisLink } from './redis-link.js';
import { RedisPresenceStore } from './redis-presence-store.js';
import { RedisNodes } from './redis-nodes.js';
import { RedisRevocationStore } from './redis-revocation-store.js';
import { RedisRateStore } from './redis-rate-store.js';
import {
  resolveDurability,
  type RedisBrokerOptions,
  type RedisConnection,
} from './redis-options.interface.js';
import { HISTORY } from './scripts/history.js';
import { POSITION } from './scripts/position.js';
import { PUBLISH } from './scripts/publish.js';

/** What a publication counts besides its event and its data, see `HistoryQuery.maxBytes`. */
const AROUND_BYTES = 45;

/**
 * For how long a position is kept without a publication: who tries to join under many names leaves nothing behind.
 * A node that looks at it makes half of it certain, which is above the longest `positionCheckMs`.
 */
const BLANK_MS = 600_000;

/** For how long a position is kept after the last publication, and half of it after the last subscriber, at least. */
const POSITION_MS = 86_400_000;

/** How long a channel stays subscribed that nobody is in any more: who loads a page again comes back at once. */
const LINGER_MS = 2_000;

/** Of the epochs that this process names; two processes have never the same. */
const EPOCH_LENGTH = 11;

const STARTED_TWICE =
  'This RedisBroker was started before; give each module, ChannelsModule and ChannelsPublisherModule, one of its own.';

/**
 * Turns any number of nodes into one: publications, histories, presence and answers of acked handlers go through
 * Redis, a single server, with Sentinels, or a Cluster; Redis 6.2 or Valkey 7.2 and later.
 *
 * @example
 * ```ts
 * ChannelsModule.forRoot({ broker: new RedisBroker('redis://localhost:6379') })
 * ```
 * @publicApi
 */
export class RedisBroker implements Broker {
  /** Who is in which channel, on all nodes. */
  readonly presence: PresenceStore;
  readonly nodes: Nodes;
  readonly registry: ChannelRegistry;
  readonly revocations: RevocationStore;
  /** The points of `@RateLimit({ per: 'principal' })`, for all nodes. */
  readonly rates: RateStore;
  readonly #link: RedisLink;
  readonly #dedup: RedisDedupStore;
  readonly #keys: Keys;
  readonly #replicatedMs: number;
  readonly #missed: MissedByOthers;
  readonly #followed: FollowedChannels;
  #sink: PublicationSink = () => undefined;
  #epochs = '';
  #epochCount = 0;
  #isStarted = false;

  /** @throws TypeError where an option has no meaning */
  constructor(options: RedisConnection | RedisBrokerOptions) {
    const given = asOptions(options);
    this.#replicatedMs = resolveDurability(given);
    this.#link = new RedisLink(given, this.#replicatedMs);
    this.#dedup = new RedisDedupStore(this.#link, given);
    this.#keys = new Keys(this.#link.prefix, this.#link.database);
    this.presence = new RedisPresenceStore({ link: this.#link });
    this.nodes = new RedisNodes(this.#link, this.#keys);
    this.registry = new RedisChannelRegistry(this.#link, this.#keys);
    this.revocations = new RedisRevocationStore(this.#link, this.#keys);
    this.rates = new RedisRateStore(this.#link, this.#keys);
    this.#missed = new MissedByOthers(this.#link, this.#keys.missed);
    this.#followed = new FollowedChannels(
      {
        listen: (channel) => this.#link.listen(this.#keys.channel(channel), this.#receive),
        unlisten: (channel) => this.#link.unlisten(this.#keys.channel(channel)),
      },
      LINGER_MS,
    );
  }

  get dedupStore(): DedupStore {
    return this.#dedup;
  }

  /** Whether Redis is there, and what is published comes in. */
  get state(): BrokerState {
    return this.#link.state;
  }

  /** @throws Error where it was started before: a broker belongs to one node */
  async start(sink: PublicationSink, node: BrokerNode): Promise<void> {
    if (this.#isStarted) throw new Error(STARTED_TWICE);
    this.#isStarted = true;
    this.#sink = sink;
    this.#epochs = node.random.id().slice(0, EPOCH_LENGTH);
    this.#link.onBack(() => node.unsure());
    this.#link.onTick((now) => {
      this.#followed.sweep(now);
      void this.#missed.tell();
    });
    this.#followed.start(node.clock);
    this.#dedup.attach(node);
    await this.#link.start(node);
    await this.#missed.listen((channels) => node.unsure(channels));
    await adviceOnMemory(this.#link, node);
  }

  async publish(publication: Publication, rule?: PublishRule): Promise<Position | undefined> {
    const { channel } = publication;
    if (rule) return this.#publishKept(publication, rule);
    if (this.#link.isConnected) {
      const message = encodeMessage(publication);
      await this.#link.publish(this.#keys.channel(channel), message, this.#keys.meta(channel));
      return undefined;
    }
    this.#missed.add(channel);
    this.#sink(publication);
    return undefined;
  }

  async position(channel: string, rule: HistoryRule): Promise<Position> {
    const keys = [this.#keys.meta(channel), this.#keys.stream(channel)];
    const [epoch, offset] = (await this.#link.run(POSITION, keys, this.#standing(channel, rule))) as [
      string,
      number,
    ];
    return this.#see(channel, { epoch, offset });
  }

  async history(channel: string, rule: HistoryRule, query: HistoryQuery): Promise<HistoryPage> {
    const { after = 0, limit, maxBytes, reverse } = query;
    const keys = [this.#keys.meta(channel), this.#keys.stream(channel)];
    const [epoch, offset, oldest, found] = (await this.#link.run(HISTORY, keys, [
      ...this.#standing(channel, rule),
      rule.ttlMs,
      after,
      Number.isFinite(limit) ? limit : -1,
      Number.isFinite(maxBytes) ? maxBytes : -1,
      AROUND_BYTES - BODY_OVERHEAD,
      reverse ? '1' : '0',
    ])) as [string, number, number, (string | number)[]];
    const publications: Publication[] = [];
    for (let at = 0; at < found.length; at += 2) {
      const position = { epoch, offset: Number(found[at]) };
      const publication = decodeBody(channel, String(found[at + 1]), position);
      if (publication) publications.push(publication);
    }
    return { position: this.#see(channel, { epoch, offset }), oldest, publications };
  }

  subscribe(channel: string): Promise<void> {
    return this.#followed.follow(channel);
  }

  unsubscribe(channel: string): void {
    this.#followed.leave(channel);
  }

  close(): void {
    this.#sink = () => undefined;
    this.#link.close();
  }

  async #publishKept(publication: Publication, { history, key }: PublishRule): Promise<Position> {
    const { channel } = publication;
    const keys = [this.#keys.meta(channel), this.#keys.stream(channel)];
    if (key !== undefined) keys.push(this.#keys.publication(channel, key));
    const args = [
      ...this.#standing(channel, history),
      history.size,
      history.ttlMs,
      this.#keys.channel(channel),
      encodeBody(publication),
    ];
    const published = this.#replicatedMs
      ? this.#link.runReplicated(PUBLISH, keys, args)
      : this.#link.run(PUBLISH, keys, args);
    const [epoch, offset] = (await published) as [string, number];
    return { epoch, offset };
  }

  /** What every script of a history is told first. */
  #standing(channel: string, { ttlMs }: HistoryRule): (string | number)[] {
    const { epoch, offset } = this.#followed.seen(channel);
    const fresh = this.#epochs + (this.#epochCount++).toString(36);
    return [fresh, epoch, offset, BLANK_MS, Math.max(POSITION_MS, 2 * ttlMs)];
  }

  readonly #receive = (message: string, redisChannel: string): void => {
    const channel = this.#keys.channelOf(redisChannel);
    const publication = decodeMessage(channel, message);
    // Nobody but us publishes there; what is no publication is of a version that is not ours.
    if (!publication) return;
    if (publication.position) this.#followed.see(channel, publication.position);
    this.#sink(publication);
  };

  #see(channel: string, position: Position): Position {
    this.#followed.see(channel, position);
    return position;
  }
}

function asOptions(options: RedisConnection | RedisBrokerOptions): RedisBrokerOptions {
  const hasConnection = typeof options === 'object' && options !== null && 'connection' in options;
  return hasConnection ? (options as RedisBrokerOptions) : { connection: options as RedisConnection };
}

import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { RedisDedupOptions } from './redis-dedup-options.interface.js';

/**
 * Where Redis is: a url, options of ioredis (`sentinels` and `tls` among them), or a `Redis` or `Cluster` whose
 * options are taken. Connections are always made anew with these options, never borrowed: ours do not queue what
 * cannot be sent, and do not send twice what may have arrived. A `keyPrefix` of ioredis is left out, for ioredis puts
 * it before keys and not before channels: names begin with {@link RedisLinkOptions.prefix} alone.
 *
 * @publicApi
 */
export type RedisConnection = string | RedisOptions | Redis | Cluster;

/**
 * How a node uses Redis.
 *
 * @publicApi
 */
export interface RedisLinkOptions {
  /** Where Redis is, see {@link RedisConnection}. */
  readonly connection: RedisConnection;

  /**
   * Begins the name of every key and channel, so that several applications can share a Redis. The same on all nodes
   * of one application. Without braces, which mean something in a Redis Cluster. Applications in different databases
   * of one Redis may have the same one.
   *
   * @default 'channels'
   */
  readonly prefix?: string;

  /**
   * How long Redis may take to answer, in milliseconds: then what was asked rejects with `unavailable`, and may have
   * happened nevertheless. A connection on which nothing at all has come for half a second longer, though something
   * was asked, is made anew; so is an attempt to connect, and a question to a sentinel. These options of `connection`
   * are not heeded: `connectTimeout`, `socketTimeout`, `sentinelCommandTimeout`.
   *
   * @default 5_000
   */
  readonly commandTimeoutMs?: number;

  /**
   * How many commands may wait for an answer. One more is refused with `unavailable`.
   *
   * @default 20_000
   */
  readonly maxPending?: number;

  /**
   * How much may wait for Redis at a time, in bytes; past it a call rejects with `unavailable`. One alone may be
   * longer.
   *
   * @default 16_777_216
   */
  readonly maxPendingBytes?: number;

  /**
   * How often this node sends itself a message through Redis, in milliseconds. Two that do not come back, and the
   * connection for publications is made anew: Redis and the network can keep one open on which nothing comes any
   * more.
   *
   * @default 1_500
   */
  readonly probeIntervalMs?: number;

  /**
   * How long the start of the node waits for Redis, in milliseconds.
   *
   * @default 5_000
   */
  readonly startTimeoutMs?: number;

  /**
   * What happens where Redis is away at the start: `fail`, and the application does not start; or `degrade`, and it
   * starts, and serves what needs no other node until Redis is there.
   *
   * @default 'fail'
   */
  readonly awayAtStart?: 'fail' | 'degrade';
}

/**
 * How a {@link RedisBroker} uses Redis.
 *
 * @publicApi
 */
export interface RedisBrokerOptions extends RedisLinkOptions, RedisDedupOptions {
  /**
   * What `publish` to a channel with history waits for. `master`: the master has it; a failover may lose it, and all
   * subscribers are told of a gap then. `replicated`: a replica has it as well, or `publish` rejects with
   * `unavailable`, and it may have reached subscribers nevertheless.
   *
   * @default 'master'
   */
  readonly durability?: 'master' | 'replicated';

  /**
   * How long a publication waits for its replica, in milliseconds; less than `commandTimeoutMs`.
   *
   * @default 1_000
   */
  readonly replicationTimeoutMs?: number;
}

/** The same with every default filled in. */
export type ResolvedLinkOptions = Required<RedisLinkOptions>;

const DEFAULTS = {
  prefix: 'channels',
  commandTimeoutMs: 5_000,
  maxPending: 20_000,
  maxPendingBytes: 16_777_216,
  probeIntervalMs: 1_500,
  startTimeoutMs: 5_000,
  awayAtStart: 'fail',
} as const;

/** Options that are whole numbers. */
const WHOLE = [
  'commandTimeoutMs',
  'maxPending',
  'maxPendingBytes',
  'probeIntervalMs',
  'startTimeoutMs',
] as const;

const MAX_MS = 2 ** 31 - 1;

/**
 * @returns how long a publication waits for its replica; 0 where it does not
 * @throws TypeError where an option has no meaning
 */
export function resolveDurability({
  durability = 'master',
  replicationTimeoutMs = 1_000,
  commandTimeoutMs = DEFAULTS.commandTimeoutMs,
}: RedisBrokerOptions): number {
  if (!['master', 'replicated'].includes(durability)) {
    throw new TypeError(
      `The option "durability" is ${JSON.stringify(durability)}: it is "master" or "replicated".`,
    );
  }
  checkWhole('replicationTimeoutMs', replicationTimeoutMs);
  if (durability === 'replicated' && replicationTimeoutMs >= commandTimeoutMs) {
    throw new TypeError(
      `The option "replicationTimeoutMs" is ${replicationTimeoutMs}: it is less than commandTimeoutMs (${commandTimeoutMs}).`,
    );
  }
  return durability === 'replicated' ? replicationTimeoutMs : 0;
}

/** @throws TypeError where an option has no meaning */
export function resolveLinkOptions(options: RedisLinkOptions): ResolvedLinkOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved = { ...DEFAULTS, ...Object.fromEntries(given) } as ResolvedLinkOptions;
  if (!resolved.connection) {
    throw new TypeError(
      'The option "connection" is missing: give a url such as "redis://localhost:6379", options of ioredis, ' +
        'or a Redis or Cluster of it.',
    );
  }
  if (!/^[^{}\s\0]{1,64}$/.test(resolved.prefix)) {
    throw new TypeError(
      `The option "prefix" is ${JSON.stringify(resolved.prefix)}: it has 1 to 64 characters, no blank and no brace.`,
    );
  }
  for (const name of WHOLE) checkWhole(name, resolved[name]);
  if (!['fail', 'degrade'].includes(resolved.awayAtStart)) {
    throw new TypeError(
      `The option "awayAtStart" is ${JSON.stringify(resolved.awayAtStart)}: it is "fail" or "degrade".`,
    );
  }
  return resolved;
}

function checkWhole(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_MS) return;
  throw new TypeError(`The option "${name}" is ${String(value)}: it is a whole number from 1 to ${MAX_MS}.`);
}

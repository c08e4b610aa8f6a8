import { Redis, type Cluster, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { Random } from '../core/random.interface.js';
import { codeOf } from './redis-error.js';
import type { RedisConnection } from './redis-options.interface.js';

/** The longest pause between two attempts to connect. */
const MAX_RETRY_MS = 2_000;

/** The longest pause after the first attempt; it doubles with each that follows. */
const FIRST_RETRY_MS = 100;

/** When the kernel begins to ask whether a silent Redis is still there. */
const KEEP_ALIVE_MS = 5_000;

/** How long a connection that was given up waits for the other side to agree. */
const FAREWELL_MS = 500;

/** How connections are made. */
export interface ConnectionParts {
  readonly connection: RedisConnection;
  readonly random: Random;
  /** A connection on which nothing comes for so long, though something is waited for, is given up. */
  readonly silenceMs: number;
}

/** How long until the next attempt, so that nodes which have lost Redis together do not come back together. */
export function retryDelay(attempt: number, random: Random): number {
  const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10));
  return longest * (0.5 + random.next() / 2);
}

/**
 * What holds for all connections of ours: what cannot be sent at once is refused, and what was sent and has no answer
 * is not sent again, for it may have been done.
 */
function ours({ random, silenceMs }: ConnectionParts): RedisOptions {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    enableReadyCheck: true,
    // Behind a failover the address of the old master is that of a replica.
    reconnectOnError: ({ message }) => codeOf(message) === 'READONLY',
    retryStrategy: (attempt) => retryDelay(attempt, random),
    // Else an address that swallows everything, or a sentinel that stands still, is waited for without end.
    connectTimeout: silenceMs,
    socketTimeout: silenceMs,
    sentinelCommandTimeout: silenceMs,
    disconnectTimeout: FAREWELL_MS,
    maxLoadingRetryTime: MAX_RETRY_MS,
    keepAlive: KEEP_ALIVE_MS,
    keyPrefix: '',
    readOnly: false,
    failoverDetector: true,
    enableAutoPipelining: false,
    stringNumbers: false,
  };
}

/**
 * A connection for commands, not yet connected. It reconnects by itself until it says `end`: what becomes of it then
 * is up to the caller.
 */
export function commandConnection(parts: ConnectionParts): Redis | Cluster {
  const { connection, random } = parts;
  const options = ours(parts);
  if (isCluster(connection)) {
    const cluster: ClusterOptions = {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: true,
      scaleReads: 'master',
      keyPrefix: '',
      enableAutoPipelining: false,
      // A command whose connection was lost may have been done.
      retryDelayOnFailover: 0,
      clusterRetryStrategy: (attempt) => retryDelay(attempt, random),
      redisOptions: { ...connection.options.redisOptions, ...options },
    };
    return connection.duplicate([], cluster as never);
  }
  return toRedis(connection, options);
}

/**
 * A connection for subscriptions, not yet connected, that does not reconnect: its end is the news that messages may
 * have been missed. In a Cluster it goes to any node, for all of them hand on all publications.
 */
export function subscriberConnection(parts: ConnectionParts, commands: Redis | Cluster): Redis | undefined {
  const { connection, random } = parts;
  const options: RedisOptions = {
    ...ours(parts),
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  };
  if (!isCluster(commands)) return toRedis(connection as Exclude<RedisConnection, Cluster>, options);
  const nodes = commands.nodes('master');
  return nodes[Math.floor(random.next() * nodes.length)]?.duplicate(options);
}

function toRedis(connection: string | RedisOptions | Redis, options: RedisOptions): Redis {
  // What stands in the query of a url would come before options beside it.
  if (typeof connection === 'string') {
    return new Redis(connection, { lazyConnect: true }).duplicate(options);
  }
  if (isRedis(connection)) return connection.duplicate(options);
  return new Redis({ ...connection, ...options });
}

/** The application may have another copy of ioredis than this package. */
function isRedis(connection: RedisOptions | Redis): connection is Redis {
  return typeof (connection as Redis).duplicate === 'function';
}

export function isCluster(connection: RedisConnection): connection is Cluster {
  return typeof connection === 'object' && (connection as Cluster).isCluster === true;
}

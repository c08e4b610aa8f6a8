import { Redis, type RedisOptions } from 'ioredis';
import { isCluster } from './connections.js';
import type { RedisConnection } from './redis-options.interface.js';

/** The number of the database that a connection uses, as ioredis reads it. A Cluster has one, 0. */
export function databaseOf(connection: RedisConnection): number {
  if (isCluster(connection)) return 0;
  if (typeof connection === 'string') return numberIn(new Redis(connection, { lazyConnect: true }).options);
  // A Redis that was made has its options there.
  return numberIn('options' in connection ? connection.options : connection);
}

function numberIn({ db }: RedisOptions): number {
  return Number(db ?? 0);
}

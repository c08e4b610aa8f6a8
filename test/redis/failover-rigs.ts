import { Cluster } from 'ioredis';
import type { RedisConnection } from 'nestjs-channels/redis';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';
import type { RedisServer } from '../support/redis/redis-server.js';

/** Servers of Redis, one of which takes the place of another that dies. */
export interface FailoverRig {
  readonly servers: readonly RedisServer[];
  readonly connection: RedisConnection;
  /** Kills the master that has this key, and returns it. */
  kill(key: string): Promise<RedisServer>;
  /** Resolves when another one has the key. */
  replaced(key: string, old: RedisServer): Promise<RedisServer>;
}

async function startSentinels(): Promise<FailoverRig> {
  const rig = await RedisSentinels.start();
  return {
    servers: rig.servers,
    connection: { sentinels: [...rig.addresses], name: rig.name },
    kill: () => rig.killMaster(),
    replaced: (_key, old) => rig.newMaster(old),
  };
}

async function startCluster(): Promise<FailoverRig> {
  const rig = await RedisCluster.start();
  return {
    servers: rig.nodes,
    connection: new Cluster([...rig.startupNodes], { lazyConnect: true }),
    kill: (key) => rig.killMasterOf(key),
    replaced: (key, old) => rig.newMasterOf(key, old),
  };
}

export const FAILOVER_RIGS: readonly (readonly [string, () => Promise<FailoverRig>])[] = [
  ['Sentinels', startSentinels],
  ['a Cluster', startCluster],
];

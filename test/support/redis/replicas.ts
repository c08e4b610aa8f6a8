import { eventually } from './eventually.js';
import type { RedisServer } from './redis-server.js';

/** Resolves when every replica has what its master has now. */
export async function allReplicated(servers: readonly RedisServer[]): Promise<void> {
  for (const server of await withRole(servers, 'slave')) {
    const port = Number((await server.info('replication')).get('master_port'));
    const master = servers.find((each) => each.port === port);
    if (!master) throw new Error(`the master of ${server.port} is none of these`);
    const written = await offsetOf(master);
    await eventually(`${server.port} is at ${written}`, async () => (await offsetOf(server)) >= written);
  }
}

/**
 * From now on nothing reaches a replica. Resolves with what lets the replicas go on; what a master that was killed
 * meanwhile had is lost then.
 */
export async function cutReplicas(servers: readonly RedisServer[]): Promise<() => void> {
  const masters = await withRole(servers, 'master');
  const replicas = await withRole(servers, 'slave');
  for (const replica of replicas) replica.freeze();
  // Else the kernels of the replicas would keep for them what comes.
  for (const master of masters) await master.run('client', 'kill', 'type', 'replica');
  return () => replicas.forEach((replica) => replica.thaw());
}

async function withRole(servers: readonly RedisServer[], role: string): Promise<RedisServer[]> {
  const roles = await Promise.all(
    servers.map(async (server) => server.isRunning && (await server.info('replication')).get('role')),
  );
  return servers.filter((_, at) => roles[at] === role);
}

async function offsetOf(server: RedisServer): Promise<number> {
  return Number((await server.info('replication')).get('master_repl_offset'));
}

import { onTestFinished } from 'vitest';
import { SystemClock, SystemRandom } from '../../lib/nest/system-clock.js';
import { Keys } from '../../lib/redis/keys.js';
import { RedisChannelRegistry } from '../../lib/redis/redis-channel-registry.js';
import { RedisLink } from '../../lib/redis/redis-link.js';
import { RedisNodes } from '../../lib/redis/redis-nodes.js';
import type { RedisConnection, RedisLinkOptions } from '../../lib/redis/redis-options.interface.js';
import type { RegistryBench, RegistryKind } from '../contract/channel-registry.contract.js';
import type { NodesBench, NodesKind } from '../contract/nodes.contract.js';
import { eventually } from '../support/redis/eventually.js';

/** Time is real, and a machine may be busy: what lives must be able to say so in time. */
export const LEASE_MS = 3_000;
/** Short: the end of it is waited for. */
const MISSING_MS = 300;
export const ENTRY_MS = 3_000;

const ASK_MS = 200;

/** A client of a Cluster asks several of its nodes. */
const START_TIMEOUT_MS = 20_000;

/** A link of a node that says nothing of how it feels, until the end of the test. */
export async function startLink(options: RedisLinkOptions): Promise<RedisLink> {
  const link = new RedisLink({ startTimeoutMs: START_TIMEOUT_MS, ...options });
  await link.start({
    clock: new SystemClock(),
    random: new SystemRandom(),
    stateChanged: () => undefined,
    probed: () => undefined,
  });
  onTestFinished(() => link.close());
  return link;
}

/** @param connection - to a Redis that has started when the tests run */
export function redisNodesKind(connection: () => RedisConnection): NodesKind {
  return {
    create: async (): Promise<NodesBench> => {
      const [links, keys] = await threeLinks(connection());
      const nodes = [
        new RedisNodes(links[0], keys, LEASE_MS, MISSING_MS),
        new RedisNodes(links[1], keys, LEASE_MS, MISSING_MS),
        new RedisNodes(links[2], keys, LEASE_MS, MISSING_MS),
      ] as const;
      return {
        nodes,
        kill: (node) => links[nodes.findIndex((each) => each === node)]?.close(),
        forgotten: async () => {
          await eventually('the node is named no more', async () => {
            const replies = await Promise.all([nodes[0].ask('?', ASK_MS), nodes[2].ask('?', ASK_MS)]);
            return replies.every((reply) => reply.nodes.missing.length === 0);
          });
        },
      };
    },
  };
}

/** @param connection - to a Redis that has started when the tests run */
export function redisRegistryKind(connection: () => RedisConnection): RegistryKind {
  return {
    create: async (): Promise<RegistryBench> => {
      const [links, keys] = await threeLinks(connection());
      const registries = [
        new RedisChannelRegistry(links[0], keys, ENTRY_MS),
        new RedisChannelRegistry(links[1], keys, ENTRY_MS),
        new RedisChannelRegistry(links[2], keys, ENTRY_MS),
      ] as const;
      return {
        registries,
        forgotten: async () => {
          await eventually('an entry that nobody renews ends', async () => {
            const [, , reader] = registries;
            return (await reader.read()).flat().every(({ pattern }) => pattern === 'news');
          });
        },
      };
    },
  };
}

async function threeLinks(
  connection: RedisConnection,
): Promise<[links: readonly [RedisLink, RedisLink, RedisLink], keys: Keys]> {
  const prefix = `test-${new SystemRandom().id()}`;
  const links = await Promise.all([
    startLink({ connection, prefix }),
    startLink({ connection, prefix }),
    startLink({ connection, prefix }),
  ]);
  return [links, new Keys(prefix)];
}

import type { BrokerNode } from '../core/broker.interface.js';
import type { RedisLink } from './redis-link.js';

/** Warns where Redis may throw away what it was given to keep. */
export async function adviceOnMemory(link: RedisLink, node: BrokerNode): Promise<void> {
  let info: string;
  try {
    info = await link.info('memory');
  } catch (error) {
    // Away at the start, or a user that may not ask.
    node.warn(`Whether Redis may evict keys is not known: ${(error as Error).message}`);
    return;
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return;
  node.warn(
    `The maxmemory-policy of Redis is ${policy}: it may evict histories, which clients are told of by $gap, and ` +
      'answers of acked messages, so that a late copy runs again. To change that: CONFIG SET maxmemory-policy noeviction.',
  );
}

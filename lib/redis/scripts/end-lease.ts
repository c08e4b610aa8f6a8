import { defineScript } from '../script.js';

/**
 * Takes a node out of those that are alive.
 *
 * KEYS: the leases. ARGV: the node.
 */
export const END_LEASE = defineScript({
  name: 'end-lease',
  lua: `return redis.call('ZREM', KEYS[1], ARGV[1])`,
});

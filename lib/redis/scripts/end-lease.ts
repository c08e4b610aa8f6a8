import { defineScript } from '../script.js';
import { NODES_PRELUDE } from './nodes-prelude.js';

/**
 * Takes a node out of those that are alive, and tells the others that it has left.
 *
 * ZREM needs no memory, and comes first: behind it Redis lets a script go on that finds none left.
 *
 * KEYS: the leases, the nodes that have left. ARGV: for how long the others can read it, the node.
 */
export const END_LEASE = defineScript({
  name: 'end-lease',
  lua: `${NODES_PRELUDE}
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], text(now + ARGV[1]), ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
`,
});

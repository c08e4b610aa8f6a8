import { defineScript } from '../script.js';
import { NODES_PRELUDE } from './nodes-prelude.js';

/**
 * Keeps a node among those that are alive, and returns all of them.
 *
 * The first command needs no memory. Behind it Redis lets a script go on that finds none left, so that nodes stay
 * among the living in a Redis that is full.
 *
 * KEYS: the leases, the nodes that have left. ARGV: for how long a node is missing, the node, for how many milliseconds.
 */
export const RENEW_LEASE = defineScript({
  name: 'renew-lease',
  lua: `${NODES_PRELUDE}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - ARGV[1]))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now))
-- An end that cannot be yet was written before the clock of Redis was set back: the lease begins anew.
local latest = text(now + ARGV[3])
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. latest, '+inf')) do
  redis.call('ZADD', KEYS[1], latest, node)
end
redis.call('ZADD', KEYS[1], latest, ARGV[2])
redis.call('PEXPIRE', KEYS[1], text(ARGV[1] + ARGV[3]))
return view(ARGV[1])
`,
});

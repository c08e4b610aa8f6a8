import { defineScript } from '../script.js';
import { PRESENCE_PRELUDE } from './presence-prelude.js';

/**
 * The node lives, whatever is known of it, and goes on from what is known. It ends what is over, and tells it.
 *
 * KEYS, ARGV 1 to 4: see the prelude. ARGV: the revision that the node goes on from.
 *
 * Returns pairs of a principal and its connections on the node.
 */
export const PRESENCE_CLAIM = defineScript({
  name: 'presence-claim',
  lua: `${PRESENCE_PRELUDE}
tidy()
redis.call('HSET', entries, node, ARGV[5])
finish()

local own = {}
local all = redis.call('HGETALL', entries)
for at = 1, #all, 2 do
  if string.sub(all[at], 1, #node + 1) == node .. ' ' then
    own[#own + 1] = string.sub(all[at], #node + 2)
    own[#own + 1] = tonumber(all[at + 1])
  end
end
return own
`,
});

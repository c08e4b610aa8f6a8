import { defineScript } from '../script.js';
import { DEDUP_PRELUDE } from './dedup-prelude.js';

/**
 * Stores the answer, ends the claim, and wakes those who wait, if there are any: in a Cluster a PUBLISH goes to every
 * node. A claim that Redis has forgotten or let lapse is as good where nobody else has claimed.
 *
 * KEYS: the hash.
 * ARGV: the fence, the answer, for how long it is kept, the channel to publish to, the hash of the content.
 *
 * Returns 1, also where it has stored this answer before: the caller may have lost the reply. 0 where the claim was
 * lost to somebody else. HSET comes first of all writes: where it fails, for Redis is full, nothing has changed.
 */
export const DEDUP_RESOLVE = defineScript({
  name: 'dedup-resolve',
  lua: `${DEDUP_PRELUDE}
if isKept and fence == ARGV[1] and answer == ARGV[2] then return 1 end
if not isOf(ARGV[1]) then return 0 end
local isAwaited = redis.call('HEXISTS', key, 'w') == 1
redis.call('HSET', key, 'f', ARGV[1], 'h', ARGV[5], 'a', ARGV[2])
redis.call('HDEL', key, 't', 'w')
redis.call('PEXPIRE', key, ARGV[3])
if isAwaited then redis.call('PUBLISH', ARGV[4], '') end
return 1
`,
});

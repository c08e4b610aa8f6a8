import { defineScript } from '../script.js';
import { DEDUP_PRELUDE } from './dedup-prelude.js';

/**
 * Ends a claim without an answer, and wakes those who wait.
 *
 * KEYS: the hash.
 * ARGV: 'f' or 't', for who knows the fence of the claim, or nothing but its token; that; for how long the fence is
 * remembered, so that the next one is a higher one; the channel to publish to.
 *
 * Returns 1, or 0 where the claim was lost.
 */
export const DEDUP_RELEASE = defineScript({
  name: 'dedup-release',
  lua: `${DEDUP_PRELUDE}
if not isRunning or redis.call('HGET', key, ARGV[1]) ~= ARGV[2] then return 0 end
local isAwaited = redis.call('HEXISTS', key, 'w') == 1
redis.call('HDEL', key, 'h', 't', 'w')
redis.call('PEXPIRE', key, ARGV[3])
if isAwaited then redis.call('PUBLISH', ARGV[4], '') end
return 1
`,
});

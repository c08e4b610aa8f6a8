import { defineScript } from '../script.js';
import { DEDUP_PRELUDE } from './dedup-prelude.js';

/**
 * Claims a message id, unless it is claimed or answered.
 *
 * KEYS: the hash.
 * ARGV: the hash of the content, a token that no other claim has, for how long a claim and an answer are kept.
 *
 * Returns 'claimed' and the fence, 'running', 'answered' and the answer, or 'conflict'.
 *
 * The fence is the time of Redis in microseconds, for a counter would begin again where the key was evicted or lost
 * with its master, and an old holder could store under the number of a new one. It is more than the last one that is
 * known, for a clock can be set back. What counts is that two claims never have the same: fences are compared for
 * equality, never for order. For that a lost key and a clock that was set back would have to meet in one microsecond.
 *
 * HSET comes first of all writes: where it fails, for Redis is full, nothing has changed.
 */
export const DEDUP_CLAIM = defineScript({
  name: 'dedup-claim',
  lua: `${DEDUP_PRELUDE}
if isKept then
  limit(answer and ARGV[4] or ARGV[3])
  if content ~= ARGV[1] then return { 'conflict' } end
  if answer then return { 'answered', answer } end
  return { 'running' }
end
local time = redis.call('TIME')
local newest = math.max((tonumber(fence) or 0) + 1, time[1] * 1000000 + time[2])
fence = string.format('%.0f', newest)
redis.call('HSET', key, 'f', fence, 'h', ARGV[1], 't', ARGV[2])
redis.call('HDEL', key, 'a', 'w')
redis.call('PEXPIRE', key, ARGV[3])
return { 'claimed', fence }
`,
});

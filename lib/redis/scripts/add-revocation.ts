import { defineScript } from '../script.js';
import { REVOCATIONS_PRELUDE } from './revocations-prelude.js';

/**
 * Remembers a revocation; of two for one target the later times. Returns the life of the keys, or an
 * empty text where there is no room.
 *
 * What has ended goes only where room is needed, and a while after its end: the clocks of the nodes may be others.
 *
 * KEYS: see the prelude. ARGV: how many there may be, for how long an end is waited for longer, a name for a new life
 * of the keys, the target, when it was revoked, when it ends.
 */
export const ADD_REVOCATION = defineScript({
  name: 'add-revocation',
  lua: `${REVOCATIONS_PRELUDE}
local known = redis.call('HGET', KEYS[3], ARGV[4])
if not known and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  local over = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now - ARGV[2]))
  for _, target in ipairs(over) do
    redis.call('ZREM', KEYS[1], target)
    redis.call('ZREM', KEYS[2], target)
    redis.call('HDEL', KEYS[3], target)
  end
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
    return ''
  end
end
local revokedAt, ends = tonumber(ARGV[5]), tonumber(ARGV[6])
if known then
  local knownAt, knownEnds = string.match(known, '^(%d+) (%d+)$')
  revokedAt = math.max(revokedAt, tonumber(knownAt))
  ends = math.max(ends, tonumber(knownEnds))
end
redis.call('HSETNX', KEYS[3], 'life', ARGV[3])
local change = redis.call('HINCRBY', KEYS[3], 'change', 1)
redis.call('HSET', KEYS[3], ARGV[4], text(revokedAt) .. ' ' .. text(ends))
redis.call('ZADD', KEYS[1], text(ends), ARGV[4])
redis.call('ZADD', KEYS[2], change, ARGV[4])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
for _, key in ipairs(KEYS) do
  redis.call('PEXPIREAT', key, text(math.max(now, last[2]) + ARGV[2]))
end
return redis.call('HGET', KEYS[3], 'life')
`,
});

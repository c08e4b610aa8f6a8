import { defineScript } from '../script.js';
import { PRESENCE_PRELUDE } from './presence-prelude.js';

/**
 * What has changed on a node, and whether it has anybody left. It tells those who have come and gone.
 *
 * KEYS, ARGV 1 to 4: see the prelude.
 * ARGV: the revision that the node has written last, and that of this, the empty text where the node has nobody any
 * more; then triples of a principal, its connections on the node, and '1' where the last one was lost.
 *
 * Returns the number of the last message, or nothing where something of the node was lost: then nothing has happened.
 */
export const PRESENCE_WRITE = defineScript({
  name: 'presence-write',
  lua: `${PRESENCE_PRELUDE}
local revision, fresh = ARGV[5], ARGV[6]
if not knows(revision) then return false end

local function change(principal, connections, isLost)
  local field = node .. ' ' .. principal
  local before = connectionsOf(principal)
  local own = tonumber(redis.call('HGET', entries, field)) or 0
  if connections > 0 then
    redis.call('HSET', entries, field, connections)
  else
    redis.call('HDEL', entries, field)
  end
  local after = before - own + connections
  if after > 0 then
    local mayBeBack = redis.call('ZREM', left, principal) == 1
    if before == 0 and not mayBeBack then
      news[#news + 1] = '+' .. string.format('%.0f', after) .. ' ' .. principal
    end
  elseif before > 0 then
    if isLost and grace > 0 then
      redis.call('ZADD', left, now + grace, principal)
    else
      news[#news + 1] = '-' .. principal
    end
  end
end

tidy()
for at = 7, #ARGV, 3 do change(ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2] == '1') end
if fresh == '' then forget(node) else redis.call('HSET', entries, node, fresh) end
return finish()
`,
});

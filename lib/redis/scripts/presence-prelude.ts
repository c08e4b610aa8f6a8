import { NOW } from './time.js';

/**
 * What the scripts of presence share. The presence of a channel is
 *
 * - a hash: `<node> <principal>` to the connections of that principal on that node, `<node>` to the revision of what
 *   the node has written, `@<node>` to since when it has been heard of without a pause, `#seq` to the number of the
 *   last message, which begins at the time, so that no number comes twice. A node has no blank in it, and a principal
 *   is a JSON text, so that nothing of it can be mistaken;
 * - its nodes, each by when it was last heard of. One that was not heard of for as long as a lease has died;
 * - those who have no connection any more, each by when its time to come back is over.
 *
 * A message is its number and, each on a line, `+<connections> <principal>` or `-<principal>`.
 *
 * KEYS: the hash, the nodes, those who may come back.
 * ARGV: the caller, the channel to publish to, the lease, the time to come back.
 */
export const PRESENCE_PRELUDE = `
local entries, nodes, left = KEYS[1], KEYS[2], KEYS[3]
local node, channel, lease, grace = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
${NOW}local heardAt = redis.call('ZSCORE', nodes, node)
local living, news = {}, {}

-- Whether what the node has written before is there: a Redis that has lost something is told all of it again.
local function knows(revision)
  local known = redis.call('HGET', entries, node) or ''
  return known == revision and (known == '' or heardAt ~= false)
end

local function connectionsOf(principal)
  local fields, total = {}, 0
  for at, id in ipairs(living) do fields[at] = id .. ' ' .. principal end
  if #fields == 0 then return 0 end
  for _, connections in ipairs(redis.call('HMGET', entries, unpack(fields))) do
    total = total + (tonumber(connections) or 0)
  end
  return total
end

local function principalsOf(id)
  local found = {}
  for _, field in ipairs(redis.call('HKEYS', entries)) do
    if string.sub(field, 1, #id + 1) == id .. ' ' then found[#found + 1] = string.sub(field, #id + 2) end
  end
  return found
end

local function forget(id)
  redis.call('HDEL', entries, id, '@' .. id)
  redis.call('ZREM', nodes, id)
end

-- Who was on it is lost as of now: of the time in which nobody knew nothing is taken from the time to come back.
local function bury(id)
  for _, principal in ipairs(principalsOf(id)) do
    redis.call('HDEL', entries, id .. ' ' .. principal)
    redis.call('ZADD', left, now + grace, principal)
  end
  forget(id)
end

-- What has a time that cannot be yet was written before the clock of Redis was set back: it begins anew.
local function mendTimes()
  local latest = string.format('%.0f', now + grace)
  for _, principal in ipairs(redis.call('ZRANGEBYSCORE', left, '(' .. latest, '+inf')) do
    redis.call('ZADD', left, latest, principal)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', nodes, '(' .. string.format('%.0f', now), '+inf')) do
    redis.call('ZADD', nodes, now, id)
  end
end

-- The node lives. It ends what is over: nodes that have died, and those who have not come back.
local function tidy()
  mendTimes()
  local since = heardAt and tonumber(redis.call('HGET', entries, '@' .. node))
  if not since or since > now or now - heardAt > lease / 2 then
    since = now
    redis.call('HSET', entries, '@' .. node, string.format('%.0f', now))
  end
  -- Where a channel has no node nobody was kept from coming back.
  local hadNode = redis.call('EXISTS', nodes) == 1
  redis.call('ZADD', nodes, now, node)
  -- Where Redis was away for all of them, whoever comes first must not take the others for dead.
  local mayJudge = now - since >= lease / 2
  if mayJudge then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now - lease)) do bury(id) end
  end
  living = redis.call('ZRANGE', nodes, 0, -1)
  if not mayJudge and hadNode then return end
  for _, principal in ipairs(redis.call('ZRANGEBYSCORE', left, '-inf', now)) do
    redis.call('ZREM', left, principal)
    if connectionsOf(principal) == 0 then news[#news + 1] = '-' .. principal end
  end
end

-- Returns the number of the last message.
local function finish()
  local number = tonumber(redis.call('HGET', entries, '#seq'))
  if not number then
    number = now
    redis.call('HSET', entries, '#seq', string.format('%.0f', now))
  end
  if #news > 0 then
    number = redis.call('HINCRBY', entries, '#seq', 1)
    redis.call('PUBLISH', channel, string.format('%.0f', number) .. '\\n' .. table.concat(news, '\\n'))
  end
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 2 * (lease + grace)) end
  return number
end
`;

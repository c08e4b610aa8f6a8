import { defineScript } from '../script.js';
import { PRESENCE_PRELUDE } from './presence-prelude.js';

/**
 * Who is there. Of nodes that have died, those who may come back.
 *
 * KEYS, ARGV 1 to 4: see the prelude. ARGV: how many of them at most, -1 for all.
 *
 * Returns the number of the last message, how many there are, and pairs of a principal and its connections.
 */
export const PRESENCE_MEMBERS = defineScript({
  name: 'presence-members',
  lua: `${PRESENCE_PRELUDE}
local limit = tonumber(ARGV[5])
local connectionsOn, totals, principals = {}, {}, {}
for _, id in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do connectionsOn[id] = 0 end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', nodes, '(' .. string.format('%.0f', now - lease), '+inf')) do
  connectionsOn[id] = 1
end

local function count(principal, connections)
  if not totals[principal] then principals[#principals + 1] = principal end
  totals[principal] = (totals[principal] or 0) + connections
end

local all = redis.call('HGETALL', entries)
for at = 1, #all, 2 do
  local blank = string.find(all[at], ' ', 1, true)
  local counts = blank and connectionsOn[string.sub(all[at], 1, blank - 1)]
  if counts then count(string.sub(all[at], blank + 1), counts * tonumber(all[at + 1])) end
end
-- Whose time is over is there until a node says that they have left, unless there is none: then nobody is told.
local leftSince = redis.call('EXISTS', nodes) == 1 and '-inf' or '(' .. string.format('%.0f', now)
for _, principal in ipairs(redis.call('ZRANGEBYSCORE', left, leftSince, '+inf')) do count(principal, 0) end

local found = {}
for at, principal in ipairs(principals) do
  if limit >= 0 and at > limit then break end
  found[#found + 1] = principal
  found[#found + 1] = totals[principal]
end
return { tonumber(redis.call('HGET', entries, '#seq')) or 0, #principals, found }
`,
});

import { defineScript } from '../script.js';
import { HISTORY_PRELUDE } from './history-prelude.js';

/**
 * Gives a publication its offset, keeps it, and wakes the nodes, unless the first one of its key is still kept.
 *
 * KEYS: the hash, the stream, and, where the publication has a key, that of its key.
 * ARGV: the epoch of a history that is new, the position that the caller has seen (epoch, offset), for how long a
 * position without and with publications is kept, how many publications and for how long, the channel to publish to,
 * the publication.
 *
 * Returns the epoch and the offset. The first write is XADD, or the HSET of an epoch that begins: where it fails, for
 * Redis is full, nothing has changed.
 */
export const PUBLISH = defineScript({
  name: 'publish',
  lua: `${HISTORY_PRELUDE}
local meta, stream, key = KEYS[1], KEYS[2], KEYS[3]
local size, ttl = tonumber(ARGV[6]), tonumber(ARGV[7])
local epoch, offset = standing(meta, stream, ARGV[1], ARGV[2], ARGV[3])
if key then
  local first = redis.call('GET', key)
  local firstEpoch, id = string.match(first or '', '^(%S+) (%S+)$')
  if firstEpoch == epoch and timeOf(id) > now - ttl and redis.call('XRANGE', stream, id, id)[1] then
    return { epoch, tonumber(string.match(id, '^(%d+)-')) }
  end
end
offset = offset + 1
local id = string.format('%.0f-%.0f', offset, now)
redis.call('XADD', stream, 'MAXLEN', size, id, 'p', ARGV[9])
redis.call('PEXPIRE', stream, ttl)
redis.call('HSET', meta, 'o', string.format('%.0f', offset))
redis.call('PEXPIRE', meta, ARGV[5])
if key then redis.call('SET', key, epoch .. ' ' .. id, 'PX', ttl) end
redis.call('PUBLISH', ARGV[8], epoch .. ' ' .. string.format('%.0f', offset) .. '\\n\\n' .. ARGV[9])
return { epoch, offset }
`,
});

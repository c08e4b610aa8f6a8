import { defineScript } from '../script.js';
import { HISTORY_PRELUDE } from './history-prelude.js';

/**
 * Reads a part of a history, and drops what is too old.
 *
 * KEYS: the hash, the stream.
 * ARGV: the epoch of a history that is new, the position that the caller has seen (epoch, offset), for how long a
 * position without and with publications is kept, for how long a publication is kept, the offset behind which to
 * read, how many publications and bytes at most (-1 for all), what each one counts besides its own bytes, '1' to
 * read from the newest to the oldest.
 *
 * Returns the epoch, the offset, the offset of the oldest publication that is kept, and pairs of offset and
 * publication.
 */
export const HISTORY = defineScript({
  name: 'history',
  lua: `${HISTORY_PRELUDE}
local stream = KEYS[2]
local ttl, after, limit, bytes = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local extra, reverse = tonumber(ARGV[10]), ARGV[11] == '1'
local CHUNK = 64
local epoch, offset = standing(KEYS[1], stream, ARGV[1], ARGV[2], ARGV[3])
keep(KEYS[1], offset, ARGV[4], ARGV[5])

local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
while first and timeOf(first[1]) <= now - ttl do
  redis.call('XTRIM', stream, 'MINID', string.format('%.0f', offsetOf(first) + 1))
  first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
end
local oldest = first and offsetOf(first) or offset + 1

local found, used, isFull = {}, 0, false
local from, to = math.max(oldest, after + 1), offset
while not isFull and from <= to and (limit < 0 or #found < limit * 2) do
  local low, high = string.format('%.0f', from), string.format('%.0f', to)
  local page = reverse and redis.call('XREVRANGE', stream, high, low, 'COUNT', CHUNK)
    or redis.call('XRANGE', stream, low, high, 'COUNT', CHUNK)
  for _, entry in ipairs(page) do
    local publication = entry[2][2]
    used = used + #publication + extra
    if (limit >= 0 and #found >= limit * 2) or (bytes >= 0 and used > bytes and #found > 0) then
      isFull = true
      break
    end
    found[#found + 1] = offsetOf(entry)
    found[#found + 1] = publication
  end
  if #page < CHUNK then break end
  if reverse then to = offsetOf(page[#page]) - 1 else from = offsetOf(page[#page]) + 1 end
end
return { epoch, offset, oldest, found }
`,
});

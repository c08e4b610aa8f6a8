import { NOW } from './time.js';

/**
 * What the scripts of a history share. A history is a hash, `meta`, with its epoch `e`, its offset `o` and the
 * replication id `r` of the master that gave the offset, and a stream, whose ids are `<offset>-<milliseconds>`.
 *
 * An epoch ends where offsets could be given again: the hash is new; the master is another one, or has lost its
 * memory, for then its replication id is another one (https://redis.io/docs/latest/operate/oss_and_stack/management/replication/);
 * or the offset is behind one that the caller has seen. That id also changes on a master that has lost nothing, when a
 * first replica attaches. Neither `run_id` nor `master_replid2` would tell that from a master which was a replica in
 * between, has another one's older data, and has had no replica for `repl-backlog-ttl` since.
 *
 * A Redis that is full refuses the first write of a script that may need memory, and none behind any other write. So
 * the first write is always one of those: HSET before DEL. Where it fails, nothing has changed.
 */
export const HISTORY_PRELUDE = `
local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
${NOW}
local function standing(meta, stream, fresh, seenEpoch, seenOffset)
  local kept = redis.call('HMGET', meta, 'e', 'o', 'r')
  local epoch, offset = kept[1], tonumber(kept[2])
  if epoch and offset and kept[3] == replid and not (epoch == seenEpoch and offset < tonumber(seenOffset)) then
    return epoch, offset
  end
  redis.call('HSET', meta, 'e', fresh, 'o', 0, 'r', replid)
  redis.call('DEL', stream)
  return fresh, 0
end

-- Nodes look often, and what is written goes to the replicas as well: so only when half of the time is over.
local function keep(meta, offset, blankTtl, ttl)
  local whole = tonumber(offset == 0 and blankTtl or ttl)
  local left = redis.call('PTTL', meta)
  if left < whole / 2 or left > whole then redis.call('PEXPIRE', meta, whole) end
end

local function offsetOf(entry)
  return tonumber(string.match(entry[1], '^(%d+)-'))
end

local function timeOf(id)
  return tonumber(string.match(id, '-(%d+)$'))
end
`;

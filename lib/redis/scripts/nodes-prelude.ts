import { NOW, TEXT } from './time.js';

/**
 * What the scripts of the nodes share. A lease is a member of the sorted set KEYS[1], with its end as score. One that
 * has ended stays for a while, for its node may live. KEYS[2] are the nodes that have left, with the time until which
 * that is remembered.
 */
export const NODES_PRELUDE = `
${NOW}${TEXT}

-- The nodes that are alive, those whose lease has ended with the milliseconds they are still named, those that left.
local function view(missingMs)
  local lapsed = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now - missingMs), text(now), 'WITHSCORES')
  for at = 2, #lapsed, 2 do
    lapsed[at] = text(lapsed[at] + missingMs - now)
  end
  return {
    redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now), '+inf'),
    lapsed,
    redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. text(now), '+inf')
  }
end
`;

import { defineScript } from '../script.js';
import { REVOCATIONS_PRELUDE } from './revocations-prelude.js';

/**
 * Returns the life of the keys, the number of the last change, and the targets with their times that have changed since
 * the reader looked last: all of them where that was another life, or where changes that it has seen were lost.
 *
 * KEYS: see the prelude. ARGV: the life and the last change that the reader knows.
 */
export const READ_REVOCATIONS = defineScript({
  name: 'read-revocations',
  lua: `${REVOCATIONS_PRELUDE}
local life = redis.call('HGET', KEYS[3], 'life') or ''
local change = tonumber(redis.call('HGET', KEYS[3], 'change') or '0')
local since = tonumber(ARGV[2])
if life ~= ARGV[1] or change < since then
  since = 0
end
local found = {}
if change > since then
  for _, target in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. text(since), '+inf')) do
    found[#found + 1] = target
    found[#found + 1] = redis.call('HGET', KEYS[3], target) or ''
  end
end
return {life, text(change), found}
`,
});

import { defineScript } from '../script.js';
import { NOW } from './time.js';

/**
 * Takes a point of a principal, by the time of Redis. The bucket is kept as whole numbers: what it holds, in parts,
 * `perMs` to a point, and when that was looked at. One that is full again is as good as none.
 *
 * KEYS: the bucket. ARGV: points, perMs.
 *
 * Returns 0, or in how many milliseconds there is a point.
 */
export const TAKE_POINT = defineScript({
  name: 'take-point',
  lua: `
local points, per = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = points * per
${NOW}local level = full
local kept = redis.call('GET', KEYS[1])
if kept then
  local had, at = string.match(kept, '^(%d+) (%d+)$')
  -- A clock that was set back gives nothing, and takes nothing.
  level = math.min(full, tonumber(had) + math.max(0, now - tonumber(at)) * points)
end
if level < per then return math.ceil((per - level) / points) end
level = level - per
redis.call('SET', KEYS[1], string.format('%.0f %.0f', level, now), 'PX', math.ceil((full - level) / points))
return 0
`,
});

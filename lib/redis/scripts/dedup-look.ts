import { defineScript } from '../script.js';
import { DEDUP_PRELUDE } from './dedup-prelude.js';

/**
 * Whether a claim runs; asks for a message at its end.
 *
 * KEYS: the hash.
 * ARGV: for how long a claim is kept.
 *
 * Returns for how long it holds if nobody renews it, in milliseconds, or 0 where none runs. A Redis that is full takes
 * no mark; then those who wait find the end when they look again.
 */
export const DEDUP_LOOK = defineScript({
  name: 'dedup-look',
  lua: `${DEDUP_PRELUDE}
if not isRunning then return 0 end
limit(ARGV[1])
redis.pcall('HSET', key, 'w', '1')
return math.min(left, tonumber(ARGV[1]))
`,
});

import { defineScript } from '../script.js';
import { DEDUP_PRELUDE } from './dedup-prelude.js';

/**
 * Keeps a claim alive.
 *
 * KEYS: the hash.
 * ARGV: the fence, for how long from now on.
 *
 * Returns 1, or 0 where the claim was lost.
 */
export const DEDUP_RENEW = defineScript({
  name: 'dedup-renew',
  lua: `${DEDUP_PRELUDE}
if not isRunning or fence ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', key, ARGV[2])
return 1
`,
});

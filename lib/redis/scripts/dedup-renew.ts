import { defineScript } from '../script.js';
import { DEDUP_PRELUDE } from './dedup-prelude.js';

/**
 * Keeps a claim alive, also one that Redis has forgotten or let lapse, for its handler runs, and nobody else has claimed.
 *
 * KEYS: the hash.
 * ARGV: the fence, for how long from now on, the hash of the content.
 *
 * Returns 1, or 0 where the claim was lost to somebody else.
 */
export const DEDUP_RENEW = defineScript({
  name: 'dedup-renew',
  lua: `${DEDUP_PRELUDE}
if not isOf(ARGV[1]) then return 0 end
if not fence then redis.call('HSET', key, 'f', ARGV[1], 'h', ARGV[3]) end
redis.call('PEXPIRE', key, ARGV[2])
return 1
`,
});

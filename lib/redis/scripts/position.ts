import { defineScript } from '../script.js';
import { HISTORY_PRELUDE } from './history-prelude.js';

/**
 * Where a history stands.
 *
 * KEYS: the hash, the stream.
 * ARGV: the epoch of a history that is new, the position that the caller has seen (epoch, offset), for how long a
 * position without and with publications is kept.
 *
 * Returns the epoch and the offset.
 */
export const POSITION = defineScript({
  name: 'position',
  lua: `${HISTORY_PRELUDE}
local epoch, offset = standing(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
keep(KEYS[1], offset, ARGV[4], ARGV[5])
return { epoch, offset }
`,
});

import { defineScript } from '../script.js';
import { PRESENCE_PRELUDE } from './presence-prelude.js';

/**
 * The node lives. It ends what is over, and tells it.
 *
 * KEYS, ARGV 1 to 4: see the prelude. ARGV: the revision that the node has written last.
 *
 * Returns the number of the last message, or nothing where something of the node was lost: then nothing has happened.
 */
export const PRESENCE_SWEEP = defineScript({
  name: 'presence-sweep',
  lua: `${PRESENCE_PRELUDE}
if not knows(ARGV[5]) then return false end
tidy()
return finish()
`,
});

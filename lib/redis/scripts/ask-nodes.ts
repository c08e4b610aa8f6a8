import { defineScript } from '../script.js';
import { NODES_PRELUDE } from './nodes-prelude.js';

/**
 * Publishes a question, and returns the nodes that there are at that moment.
 *
 * KEYS: the leases, the nodes that have left.
 * ARGV: for how long a node is missing, the channel of the questions, the question.
 */
export const ASK_NODES = defineScript({
  name: 'ask-nodes',
  lua: `${NODES_PRELUDE}
redis.call('PUBLISH', ARGV[2], ARGV[3])
return view(ARGV[1])
`,
});

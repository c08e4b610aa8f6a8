import { defineScript } from '../script.js';

/**
 * Publishes through the node of a Cluster that a key belongs to. PUBLISH itself goes through any node, and what goes
 * through different ones arrives in any order.
 *
 * KEYS: a key. ARGV: the channel, the message.
 */
export const WAKE = defineScript({
  name: 'wake',
  lua: `return redis.call('PUBLISH', ARGV[1], ARGV[2])`,
});

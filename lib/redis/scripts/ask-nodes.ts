import { defineScript } from '../script.js';

/**
 * Publishes a question, and returns the nodes that are alive at that moment: those that have to answer.
 *
 * KEYS: the leases. ARGV: the channel of the questions, the question.
 */
export const ASK_NODES = defineScript({
  name: 'ask-nodes',
  lua: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local alive = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
    redis.call('PUBLISH', ARGV[1], ARGV[2])
    return alive
  `,
});

import { defineScript } from '../script.js';

/**
 * Keeps a node among those that are alive, and returns all of them.
 *
 * The first command needs no memory. Behind it Redis lets a script go on that finds none left, so that nodes stay
 * among the living in a Redis that is full.
 *
 * KEYS: the leases. ARGV: the node, for how many milliseconds.
 */
export const RENEW_LEASE = defineScript({
  name: 'renew-lease',
  lua: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return redis.call('ZRANGE', KEYS[1], 0, -1)
  `,
});

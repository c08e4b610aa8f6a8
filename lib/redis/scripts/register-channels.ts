import { defineScript } from '../script.js';

/**
 * Keeps entries in a set of those that were renewed, and drops the others.
 *
 * The first command needs no memory, so that a Redis that is full takes the others as well: they are few, and whoever
 * publishes is compared with them.
 *
 * KEYS: the registry. ARGV: for how many milliseconds, the entries.
 */
export const REGISTER_CHANNELS = defineScript({
  name: 'register-channels',
  lua: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
    -- An end that cannot be yet was written before the clock of Redis was set back: the entry begins anew.
    local latest = string.format('%.0f', now + ARGV[1])
    for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. latest, '+inf')) do
      redis.call('ZADD', KEYS[1], latest, entry)
    end
    for i = 2, #ARGV do
      redis.call('ZADD', KEYS[1], latest, ARGV[i])
    end
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    return 1
  `,
});

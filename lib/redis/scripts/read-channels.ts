import { defineScript } from '../script.js';

/**
 * Returns the entries that have not ended.
 *
 * KEYS: the registry.
 */
export const READ_CHANNELS = defineScript({
  name: 'read-channels',
  lua: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
  `,
});

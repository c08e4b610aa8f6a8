import { MAX_CHANNEL_NAME_LENGTH } from './constants.js';

const CHANNEL_NAME = /^[A-Za-z0-9_.:@=+~-]+$/;

/** Whether `name` may be the name of a channel: 1 to 255 characters of `[A-Za-z0-9_.:@=+~-]`. */
export function isChannelName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= MAX_CHANNEL_NAME_LENGTH && CHANNEL_NAME.test(name);
}

import { isChannelName } from '../protocol/index.js';
import { ChannelsError } from './errors.js';

/** @throws ChannelsError `bad_request` for what is no channel name */
export function checkChannelName(name: unknown): asserts name is string {
  if (isChannelName(name)) return;
  throw new ChannelsError(
    'bad_request',
    `${typeof name === 'string' ? JSON.stringify(name) : typeof name} is no channel name: 1 to 255 characters of [A-Za-z0-9_.:@=+~-] are`,
  );
}

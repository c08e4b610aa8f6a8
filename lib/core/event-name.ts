import { RESERVED_EVENT_PREFIX } from '../protocol/index.js';
import { ChannelsError } from './errors.js';

/** @throws ChannelsError `bad_request` for what the application cannot send as an event */
export function checkEventName(event: unknown, maxEventLength: number): void {
  if (typeof event !== 'string' || event === '' || event.length > maxEventLength) {
    throw new ChannelsError('bad_request', `an event must be a text of 1 to ${maxEventLength} characters`);
  }
  if (event.startsWith(RESERVED_EVENT_PREFIX)) {
    throw new ChannelsError('bad_request', `"${event}" is reserved, as all events that begin with "$" are`);
  }
}

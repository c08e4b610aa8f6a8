import type { ChannelGap } from './channel-events.js';
import type { ChannelsClientError } from './client-error.js';
import type { ClientState } from './client-state.js';

/**
 * What a client tells about itself.
 *
 * @publicApi
 */
export interface ClientEvents {
  /** The state is another one. */
  $state: ClientState;
  /** Publications of a channel may have been missed. */
  $gap: ChannelGap;
  /** A message that a former page has left in the storage was answered, or has failed. */
  $settled: SettledMessage;
  /** A failure that belongs to no call. */
  $error: ChannelsClientError;
}

/**
 * How a message has ended whose `send` was called in a page that is gone.
 *
 * @publicApi
 */
export interface SettledMessage {
  readonly id: string;
  readonly event: string;
  /** What was sent. */
  readonly data: unknown;
  /** What the handler returned. */
  readonly answer?: unknown;
  /** What `send` would have rejected with. */
  readonly error?: ChannelsClientError;
}

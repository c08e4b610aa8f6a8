export type { ChannelApi, ClientApi, UntypedApi } from './api.js';
export {
  Channel,
  type ChannelEvents,
  type ChannelOptions,
  type ChannelPresence,
  type PresenceMember,
  type Publication,
} from './channel.js';
export type { ChannelGap, SubscribedEvent, UnsubscribedEvent } from './channel-events.js';
export { ChannelsClient } from './channels-client.js';
export type { ClientEvents, SettledMessage } from './client-events.js';
export { ChannelsClientError, type ClientErrorCode } from './client-error.js';
export type { ChannelsClientOptions, TokenSource } from './client-options.js';
export type { ClientState, StateReason } from './client-state.js';
export type { ClientClock, ClientRandom } from './clock.interface.js';
export type { QueueStorage, StoredMessage, StoredQueue } from './queue-storage.interface.js';
export type { RequestContext } from './request-table.js';
export type { SendOptions } from './pending-send.js';
export type { WebSocketConstructor, WebSocketLike } from './web-socket.interface.js';

export {
  defineChannel,
  type ChannelDefinition,
  type ChannelHistoryOptions,
  type ChannelOptions,
  type ChannelParams,
  type Overflow,
  type ResolvedChannelOptions,
} from '../core/channel-definition.js';
export { ChannelsError, type ChannelsErrorOptions } from '../core/errors.js';
export { ChannelsPublisher, type PublisherOptions } from './channels-publisher.js';
export { ChannelsPublisherModule } from './channels-publisher.module.js';
export type {
  ChannelsPublisherModuleExtras,
  ChannelsPublisherModuleOptions,
} from './channels-publisher-options.interface.js';

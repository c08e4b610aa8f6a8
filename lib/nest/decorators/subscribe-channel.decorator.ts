import { SetMetadata } from '@nestjs/common';
import { defineChannel, type ChannelDefinition, type ChannelOptions } from '../../core/channel-definition.js';
import { SUBSCRIBE_CHANNEL_METADATA } from '../metadata.js';

/**
 * Lets clients join the channels that the pattern matches. Without such a method a channel cannot
 * be joined by a client at all.
 *
 * Guards, interceptors and pipes run as for `@SubscribeMessage`; `@MessageBody()` is what the client
 * has sent as `params`. What the method returns travels in the ack. A throw or a guard that says no
 * refuses the join; asked again while joined, it ends the subscription. Publications that are made
 * while the method runs follow the ack.
 *
 * @param channel the pattern, segments separated by `:`, parameters written `{name}`; or a definition
 * @example
 * ```ts
 * @SubscribeChannel('chat:{room}')
 * join(@ChannelParam('room') room: string) {
 *   return { topic: topicOf(room) };
 * }
 * ```
 * @publicApi
 */
export function SubscribeChannel(
  channel: string | ChannelDefinition,
  options?: ChannelOptions,
): MethodDecorator {
  return SetMetadata(SUBSCRIBE_CHANNEL_METADATA, toDefinition(channel, options));
}

/** @throws TypeError where a definition is given options a second time */
export function toDefinition(
  channel: string | ChannelDefinition,
  options?: ChannelOptions,
): ChannelDefinition {
  if (typeof channel === 'string') return defineChannel(channel, options);
  if (options !== undefined) {
    throw new TypeError(`"${channel.pattern}": options belong into its defineChannel(...), not beside it.`);
  }
  return channel;
}

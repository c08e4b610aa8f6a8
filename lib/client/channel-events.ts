/**
 * Publications may have been missed: reload the state of the channel.
 *
 * @publicApi
 */
export interface ChannelGap {
  readonly channel: string;
  /** `rejoined` after a reconnect that could not recover, `lost` where the server says so. */
  readonly reason: 'rejoined' | 'lost';
}

/**
 * The channel is joined: `data` is its state of now. The publications that follow continue it, unless `recovered`
 * says that they continue what was there before.
 *
 * @publicApi
 */
export interface SubscribedEvent<Data = unknown> {
  /** What the `@SubscribeChannel` method returned; `undefined` where the server has joined. */
  readonly data: Data;
  /** All that was missed follows. */
  readonly recovered: boolean;
  readonly by: 'client' | 'server';
}

/**
 * Why the server has ended a subscription, where it says so.
 *
 * @publicApi
 */
export interface UnsubscribedEvent {
  readonly code?: string;
  readonly reason?: string;
}

import type { MessageId } from '../protocol/index.js';
import type { Connection } from './connection.js';
import type { ChannelRoute } from './endpoint.js';
import { ChannelsError } from './errors.js';
import { Message } from './handler.interface.js';
import { Subscription } from './subscription.js';

/** How long a peer waits that has too many subscription commands under way. */
const COMMAND_RETRY_MS = 1_000;

/** Why a subscription ended; the data of the `@UnsubscribeChannel` method. */
export type LeaveReason = 'unsubscribed' | 'replaced' | 'refused' | 'removed' | 'closed';

/** The channels of one connection. */
export class SubscriptionTable {
  #byChannel?: Map<string, Subscription>;
  #commands = 0;
  #ended = false;

  constructor(private readonly connection: Connection) {}

  /** Channels that the connection is in. */
  *channels(): Iterable<string> {
    for (const subscription of this.#byChannel?.values() ?? []) {
      if (subscription.isJoined) yield subscription.channel;
    }
  }

  has(channel: string): boolean {
    return this.#byChannel?.get(channel)?.isJoined ?? false;
  }

  /**
   * The peer asks to join. Answers when the method has run.
   *
   * @throws ChannelsError where it can be refused at once
   */
  subscribe(channel: string, id: MessageId, params: unknown): void {
    const match = this.connection.endpoint.channels.match(channel);
    if (!match?.value.subscribe) {
      throw new ChannelsError('unknown_channel', `no channel matches ${JSON.stringify(channel)}`);
    }
    this.#countCommand();
    const message = new Message(this.connection, '$subscribe', params, id, channel, match.params);
    this.#slot(channel, match.value).add({ type: 'subscribe', message });
  }

  /**
   * The peer asks to leave.
   *
   * @throws ChannelsError where it can be refused at once
   */
  unsubscribe(channel: string, id: MessageId): void {
    const subscription = this.#byChannel?.get(channel);
    if (!subscription) {
      throw new ChannelsError('not_subscribed', `this connection is not in ${JSON.stringify(channel)}`);
    }
    this.#countCommand();
    subscription.add({ type: 'unsubscribe', id });
  }

  /** The server joins the connection: no guard or method runs. Resolves when it is in. */
  join(channel: string): Promise<void> {
    if (this.#ended) return Promise.reject(new ChannelsError('unavailable', 'the connection has closed'));
    const match = this.connection.endpoint.channels.match(channel);
    return new Promise((resolve, reject) => {
      const message = new Message(
        this.connection,
        '$subscribe',
        undefined,
        undefined,
        channel,
        match?.params,
      );
      this.#slot(channel, match?.value).add({ type: 'join', message, resolve, reject });
    });
  }

  /** The server takes the connection out of a channel. Resolves when it is out. */
  leave(channel: string, code?: string, reason?: string): Promise<void> {
    const subscription = this.#byChannel?.get(channel);
    if (!subscription) return Promise.resolve();
    return new Promise((resolve) => subscription.add({ type: 'leave', code, reason, resolve }));
  }

  /** The connection has ended: every join is undone. */
  end(): void {
    this.#ended = true;
    for (const subscription of this.#byChannel?.values() ?? []) subscription.end();
    this.#byChannel = undefined;
  }

  /** A command of the peer has been answered. */
  commandDone(): void {
    this.#commands--;
  }

  /** Nothing is left of a subscription. */
  remove(subscription: Subscription): void {
    this.#byChannel?.delete(subscription.channel);
  }

  #slot(channel: string, route: ChannelRoute | undefined): Subscription {
    const known = this.#byChannel?.get(channel);
    if (known) return known;
    const { maxChannelsPerConnection } = this.connection.engine.options;
    this.#byChannel ??= new Map();
    if (this.#byChannel.size >= maxChannelsPerConnection) {
      throw new ChannelsError(
        'limit_exceeded',
        `a connection may be in ${maxChannelsPerConnection} channels`,
      );
    }
    const subscription = new Subscription(this.connection, channel, route);
    this.#byChannel.set(channel, subscription);
    return subscription;
  }

  /** Each channel may have a join and a leave under way. */
  #countCommand(): void {
    if (this.#commands >= 2 * this.connection.engine.options.maxChannelsPerConnection) {
      throw new ChannelsError('rate_limited', 'too many subscription commands are unanswered', {
        retryAfterMs: COMMAND_RETRY_MS,
      });
    }
    this.#commands++;
  }
}

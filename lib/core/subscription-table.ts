import type { ErrorCode, MessageId } from '../protocol/index.js';
import type { Position } from './broker.interface.js';
import { checkChannelName } from './channel-name.js';
import type { Connection } from './connection.js';
import type { ChannelRoute } from './endpoint.js';
import { ChannelsError } from './errors.js';
import { Message } from './handler.interface.js';
import type { PatternTable } from './pattern.js';
import { isReserved } from './reserved-channels.js';
import { Subscription } from './subscription.js';

/** How long a peer waits that has too many subscription commands under way. */
const COMMAND_RETRY_MS = 1_000;

/** The channels of one connection. */
export class SubscriptionTable {
  #byChannel?: Map<string, Subscription>;
  #commands = 0;
  /** Of what channels were asked for with, in characters. */
  #askedLength = 0;

  constructor(private readonly connection: Connection) {}

  /** Those that hold, begin or end. */
  get size(): number {
    return this.#byChannel?.size ?? 0;
  }

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
  subscribe(channel: string, id: MessageId, params: unknown, since?: Position): void {
    const match = this.#match(channel);
    const method = match?.value.subscribe;
    if (!method) throw unknownChannel(channel);
    this.#checkCommands();
    const message = new Message(this.connection, '$subscribe', params, id, channel, match.params);
    const asked = this.#askedWith(params);
    const subscription = this.#slot(channel, match.value);
    this.#commands++;
    this.#askedLength += asked?.length ?? 0;
    subscription.add({ type: 'subscribe', message, method, since, asked });
  }

  /**
   * Somebody with other rights is there now: what let the connection into its channels is asked again.
   *
   * @returns for how many channels
   */
  reconsider(): number {
    let asked = 0;
    for (const subscription of this.#byChannel?.values() ?? []) if (subscription.reconsider()) asked++;
    return asked;
  }

  /** What a channel was asked for with is needed no more. */
  release(asked: string | undefined): void {
    this.#askedLength -= asked?.length ?? 0;
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
    this.#checkCommands();
    this.#commands++;
    subscription.add({ type: 'unsubscribe', id });
  }

  /**
   * The server joins the connection: no guard or method runs. Resolves when it is in.
   *
   * @throws ChannelsError `unknown_channel` for a name of this package
   */
  async join(channel: string): Promise<void> {
    checkChannelName(channel);
    const { connection } = this;
    if (!connection.writable) throw new ChannelsError('unavailable', 'the connection has closed');
    const match = this.#match(channel);
    if (!match && isReserved(channel)) throw unknownChannel(channel);
    const message = new Message(connection, '$subscribe', undefined, undefined, channel, match?.params);
    const subscription = this.#slot(channel, match?.value);
    await new Promise<void>((resolve, reject) => {
      subscription.add({ type: 'join', message, resolve, reject });
    });
  }

  /** The server takes the connection out of a channel. Resolves when it is out. */
  async leave(channel: string, code?: ErrorCode, reason?: string): Promise<void> {
    const subscription = this.#byChannel?.get(channel);
    if (!subscription) return;
    // Checked before anything waits for it: what cannot be sent must not begin.
    checkText('code', code);
    checkText('reason', reason);
    await new Promise<void>((resolve, reject) => {
      subscription.add({ type: 'leave', code, reason, resolve, reject });
    });
  }

  /** The connection has ended: every join is undone. */
  end(code: number): void {
    for (const subscription of this.#byChannel?.values() ?? []) subscription.end(code);
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

  /** Without parameters for a name of this package: those of an application would let its peers in from any node. */
  #match(channel: string): ReturnType<PatternTable<ChannelRoute>['match']> {
    const match = this.connection.endpoint.channels.match(channel);
    return isReserved(channel) && match?.value.definition.pattern !== channel ? undefined : match;
  }

  /** What is kept for {@link reconsider}: nothing where that never comes. */
  #askedWith(params: unknown): string | undefined {
    const { info, engine } = this.connection;
    if (!info.renew) return undefined;
    const asked = params === undefined ? '' : JSON.stringify(params);
    const { maxMessageBytes } = engine.options;
    if (this.#askedLength + asked.length <= maxMessageBytes) return asked;
    throw new ChannelsError(
      'limit_exceeded',
      `the params of all channels of a connection may have ${maxMessageBytes} characters`,
    );
  }

  #slot(channel: string, route: ChannelRoute | undefined): Subscription {
    const known = this.#byChannel?.get(channel);
    this.checkRoomFor(channel);
    if (known) return known;
    const subscription = new Subscription(this.connection, channel, route);
    (this.#byChannel ??= new Map()).set(channel, subscription);
    return subscription;
  }

  /** @throws ChannelsError `limit_exceeded` where the connection has as many channels as it may, and not this one */
  checkRoomFor(channel: string): void {
    if (this.#byChannel?.get(channel)?.counts) return;
    const { maxChannelsPerConnection } = this.connection.engine.options;
    if (!this.#byChannel || this.#byChannel.size < maxChannelsPerConnection) return;
    // Some may be on their way out: their methods run, but the connection is not in them any more.
    let counted = 0;
    for (const subscription of this.#byChannel.values()) if (subscription.counts) counted++;
    if (counted < maxChannelsPerConnection) return;
    throw new ChannelsError('limit_exceeded', `a connection may be in ${maxChannelsPerConnection} channels`);
  }

  /** Each channel may have a join and a leave under way. */
  #checkCommands(): void {
    if (this.#commands < 2 * this.connection.engine.options.maxChannelsPerConnection) return;
    throw new ChannelsError('rate_limited', 'too many subscription commands are unanswered', {
      retryAfterMs: COMMAND_RETRY_MS,
    });
  }
}

function unknownChannel(channel: string): ChannelsError {
  return new ChannelsError('unknown_channel', `no @SubscribeChannel() matches ${JSON.stringify(channel)}`);
}

function checkText(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'string') return;
  throw new ChannelsError('bad_request', `the ${name} of a leave must be a text, got a ${typeof value}`);
}

import type { ErrorCode } from '../protocol/index.js';

/**
 * One client, as handlers and hooks see it. A class and not an interface, so that it can stand in
 * the signature of a decorated method. Behind the WebSocket transport it is also the socket of the
 * `ws` package, so that a stock gateway's `client.send(...)` keeps working and stays in order with
 * everything else that is sent.
 *
 * @publicApi
 */
export abstract class ChannelSocket<User = unknown> {
  /** Random, unique over all nodes. Not a secret, and new after each reconnect. */
  abstract readonly id: string;

  /** What the handshake guards have put into `request.user`; `undefined` where none did. */
  abstract readonly user: User;

  /** Who the user is, as the option `session` names it; empty when anonymous. */
  abstract readonly principal: string;

  /** The parameters of the gateway's path: `{ tenant: 'acme' }` for `/chat/:tenant/ws`. */
  abstract readonly params: Readonly<Record<string, string>>;

  /** What the `@OnHandshake()` method has returned. Free for the application. */
  abstract data: unknown;

  /** The channels that this client is in now. */
  abstract get channels(): readonly string[];

  /**
   * Sends `{ event, data }`. What is pushed in one turn of the event loop leaves in one write.
   * After the end of the connection it does nothing.
   *
   * @throws TypeError where `data` has no JSON (circular, BigInt)
   */
  abstract push(event: string, data?: unknown): void;

  /**
   * Joins a channel on the client's behalf. No guard or `@SubscribeChannel` method runs; the client
   * is told by `$subscribed`, and does not rejoin by itself after a reconnect.
   *
   * @throws ChannelsError `bad_request` for what is no channel name, `limit_exceeded` past
   * `maxChannelsPerConnection`, `unavailable` when the connection has closed
   */
  abstract subscribe(channel: string): Promise<void>;

  /** Takes the client out of a channel and tells it by `$unsubscribed`. Nothing happens if it is not in. */
  abstract unsubscribe(channel: string, reason?: { code?: ErrorCode; reason?: string }): Promise<void>;

  /**
   * Sends what is due and closes. See docs/protocol.md section 8 for which codes a client comes back after.
   *
   * @throws TypeError or RangeError for a code or a reason that RFC 6455 does not allow
   */
  abstract close(code?: number, reason?: string): void;
}

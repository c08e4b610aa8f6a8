import type { ErrorCode } from '../protocol/index.js';

/**
 * How long {@link ChannelSocket.request} waits.
 *
 * @publicApi
 */
export interface RequestOptions {
  /**
   * Rejects with `timeout` when there is no answer within this many milliseconds, at least 1. More
   * than 24 days count as 24 days.
   *
   * @default requestTimeoutMs of the module, 10_000
   */
  readonly timeoutMs?: number;

  /** Rejects with the reason of the signal. The client is not told, and may still do what it was asked. */
  readonly signal?: AbortSignal;
}

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
   * Asks the client, and resolves with what its `client.handle(event, …)` has given. The answer is
   * what the peer says it is: `T` is a claim, so check it as any message. A handler may await it, also
   * an `@Acked()` one: answers pass by everything else that the client sends. Settles exactly once.
   * No error of it is `retryable`, whatever its code says: a handler that lets it through does not run again.
   *
   * @example
   * ```ts
   * const isSure = await client.request('confirm', { text: 'Delete the room?' }, { timeoutMs: 30_000 });
   * if (isSure !== true) throw new ChannelsError('forbidden', 'Not confirmed.');
   * ```
   *
   * @throws ChannelsError the error of the client, with its code (`internal` for one that the protocol
   * has not), at most 1,024 characters of its text, and its `details`: a handler that lets it through
   * passes them on; `unknown_event` where the client has no handler; `timeout`; `unavailable` when the
   * connection has ended, also before the answer, and before `handleConnection` has settled, since
   * nothing is read until then; `limit_exceeded` past `maxRequestsPerConnection`; `bad_request` for an
   * event that begins with `$` or is too long, and for data without JSON; `payload_too_large` for a
   * frame over `maxMessageBytes`. An abort rejects with the reason of the signal
   */
  abstract request<T = unknown>(event: string, data?: unknown, options?: RequestOptions): Promise<T>;

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

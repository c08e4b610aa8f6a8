import type { Broker } from '../core/broker.interface.js';
import type { ChannelDefinition } from '../core/channel-definition.js';
import type { DedupStore } from '../core/dedup-store.interface.js';
import type { Observer } from '../core/observer.interface.js';
import type { EngineOptions } from '../core/options.js';
import type { HandshakeRequest } from '../transport/ws/handshake-request.js';
import type { LogOptions } from './log-options.js';

/** Who is behind a connection. */
export interface Session {
  /**
   * The same text for every connection of one user, on every node: names the user in
   * `ChannelsService.disconnect({ principal })`. Empty for somebody anonymous.
   */
  readonly principal: string;

  /**
   * When it ends, in milliseconds since the epoch, as `Date.now()`. Then the connection is closed with 4401, unless
   * `$refresh` has brought a new token; `ChannelsClient` does that by itself. `Infinity` never ends.
   *
   * @default what a guard has found (`request.expiresAt`): with a `TokenHandshakeGuard` the `exp` of the token;
   * never where none did
   */
  readonly expiresAt?: number;

  /**
   * When it began, in milliseconds since the epoch: what was issued after a revocation is welcome. Take it from what
   * was checked, never from the peer.
   *
   * @default `request.issuedAt`: with a `TokenHandshakeGuard` the `iat` of the token
   */
  readonly issuedAt?: number;

  /**
   * By which it can be revoked, besides the principal: `{ sid }`.
   *
   * @default the texts and numbers of `request.user`, as text
   */
  readonly claims?: Readonly<Record<string, string>>;
}

/** Options of `ChannelsModule.forRoot()`. */
export interface ChannelsModuleOptions extends EngineOptions, LogOptions {
  /**
   * Origins of pages that may connect, compared exactly: `['https://app.example.com']`. `'*'` lets
   * every page in. Unset: only pages of the same host as the server. Others get HTTP 403.
   *
   * @default the same host
   */
  allowedOrigins?: readonly string[] | '*';

  /**
   * Refuse peers that send no `Origin`. Browsers always send one, other programs rarely do. Where a
   * cookie carries the token, it is required whatever this says.
   *
   * @default false
   */
  requireOrigin?: boolean;

  /**
   * How many proxies in front append to `X-Forwarded-For` and set `X-Forwarded-Host`; `true` is one. Of each
   * header the entry counts that the outermost of them has written: the last one behind one proxy, the one
   * before it behind two. Turns `maxConnectionsPerAddress` and `handshakesPerSecondPerAddress` on, see there.
   *
   * Only where nobody reaches the server past the proxies: who does writes into these headers what they like,
   * and then their address is whatever they say, for guards, caps and the log. Let the server listen on an
   * address that only the proxy reaches, and let the proxy append to the header or replace it, never hand it on.
   *
   * @default false
   */
  trustProxy?: boolean | number;

  /**
   * A cookie whose value is the token, where neither `Authorization` nor the subprotocol has one. Browsers send
   * cookies for whatever page opens a socket: the start refuses it without `allowedOrigins`, or with `'*'`.
   */
  tokenCookie?: string;

  /**
   * Says who is behind a request that the guards have let in.
   *
   * @default `request.user`'s `sub`, `id` or `userId`, and its `exp` and `iat`; anonymous without a `request.user`
   */
  session?: (request: HandshakeRequest) => Session | Promise<Session>;

  /**
   * Which global guards, pipes and interceptors of the application run for messages. Unset, those
   * that the installed Nest runs for gateways: 12 all of them, 11 none.
   *
   * `handshake` switches the global guards off that run before an upgrade for gateways that use a
   * decorator of this package.
   */
  globals?: {
    readonly guards?: boolean;
    readonly pipes?: boolean;
    readonly interceptors?: boolean;
    readonly handshake?: boolean;
  };

  /**
   * Whether a message with an `id` on a plain connection is answered by `{ ack }`. `false` answers
   * as the stock adapter does, without the id.
   *
   * @default true
   */
  plainAcks?: boolean;

  /**
   * Reads the messages of plain connections, those that have offered no subprotocol of ours, in a form of the
   * application's own; `setMessageParser` of the adapter does the same later. `undefined` leaves a message
   * aside. What it throws is reported, and the peer gets an `exception` with `bad_frame`.
   *
   * @default JSON in the form of docs/protocol.md
   */
  messageParser?: MessageParser;

  /**
   * Compresses frames for peers that offer `permessage-deflate`, as browsers do (RFC 7692): each publication once for
   * all of them, for no message needs those before it. `threshold` is the length in bytes from which on a frame is
   * compressed; what is shorter than a packet of the network saves nothing. What a peer sends compressed ends at
   * `maxMessageBytes` with 1009 however small it came. Read docs/security.md before a secret and text of a peer share
   * a frame.
   *
   * @default no compression; `{ threshold: 1_024 }` for `{}`, as `ws` has it
   */
  compression?: { readonly threshold?: number };

  /** Options for the `WebSocketServer` of `ws`, for every gateway; a gateway's own come first. */
  server?: Readonly<Record<string, unknown>>;

  /**
   * The address that gateways with a port of their own listen on. A gateway's own `host` comes first.
   *
   * @default all addresses
   */
  host?: string;

  /**
   * What carries publications between publishers and nodes.
   *
   * @default one in memory, for a single process
   */
  broker?: Broker;

  /**
   * Channels that this application publishes to without a gateway for them: a worker has to know which of them
   * have a history. Those of `@SubscribeChannel` need not be named.
   */
  channels?: readonly ChannelDefinition[];

  /**
   * Where the answers of `@Acked` handlers are kept, so that a copy of a message does not run again.
   *
   * @default that of the broker; where it has none, in the memory of this process, bounded by `maxDedupBytes` and
   * `maxDedupBytesPerPrincipal`
   */
  dedupStore?: DedupStore;

  /** Get the facts that the engine reports, beside the log. */
  observers?: readonly Observer[];
}

/**
 * Turns a message, text or bytes, into an event and its data.
 *
 * @publicApi
 */
export type MessageParser = (
  message: string | Buffer,
) => { readonly event: string; readonly data?: unknown } | undefined | void;

/** Options beside those that `forRootAsync` can resolve. */
export interface ChannelsModuleExtras {
  /**
   * Makes the `ChannelsService` available everywhere.
   *
   * @default true
   */
  isGlobal?: boolean;

  /**
   * Installs the adapter, unless the application has set another one. With `false`, call
   * `app.useWebSocketAdapter(app.get(ChannelsAdapter))`.
   *
   * By default the start refuses where `@nestjs/platform-socket.io` is installed, no adapter is set, and a
   * gateway uses no decorator of this package: an import must not move a Socket.IO application to another
   * protocol. `true` says that this is what you want.
   *
   * @default 'unless-socket.io'
   */
  autoInstall?: boolean | 'unless-socket.io';
}

import type { BrokerState } from './broker.interface.js';

/**
 * What a handshake was refused for, to be counted by:
 *
 * - `request`: it is no upgrade that could be answered, or its path is nobody's; `version`: of our protocol
 * - `origin`: of a page that may not connect
 * - `guard`: a guard, or `session`, said no; `failure`: one of them failed, or took too long; `revoked`: by
 *   `revoke()`; `expired`: a session that has ended
 * - `not_ready`: the server starts or shuts down; every peer is told in plain HTTP, so that a proxy asks another node
 * - `pending`: `maxPendingUpgrades`; `handshake_rate`: `handshakesPerSecond`; `connections`: `maxConnections`;
 *   `principal_connections`: `maxConnectionsPerPrincipal`; `address_connections`: `maxConnectionsPerAddress`;
 *   `address_rate`: `handshakesPerSecondPerAddress`
 * - `slow_request`: `idleUpgradeTimeoutMs`; `silent`: a socket without a byte for `idleTimeoutMs`
 */
export type RefusalReason =
  | 'request'
  | 'version'
  | 'origin'
  | 'guard'
  | 'revoked'
  | 'expired'
  | 'failure'
  | 'not_ready'
  | 'pending'
  | 'handshake_rate'
  | 'connections'
  | 'principal_connections'
  | 'address_connections'
  | 'address_rate'
  | 'slow_request'
  | 'silent';

/** A connection that was turned away. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** Of HTTP; a client of ours sees the close code of section 2.7. 408 for sockets that never asked for anything. */
  readonly status: number;
  readonly message: string;
  readonly url: string;
  readonly address: string;
  /** From the request to here, what guards took included; 0 where nothing was asked. */
  readonly durationMs: number;
  /** What an operator can do about it. */
  readonly advice?: string;
}

/**
 * A fault of a peer: answered by an error frame, dropped on purpose, or, for a `broken_frame`, which
 * violates the framing of WebSockets, is longer than it may be, or resets the connection, followed by a close.
 * `rate_limited` and `limit_exceeded` are what passes a limit of docs/protocol.md, section 10.
 *
 * Four tell of a rate that was passed: `message_rate`, `byte_rate` and `subscription_rate` of something that was
 * refused, `handler_rate` of what a `@RateLimit()` has refused. `parked` tells that messages to `@Acked()` handlers
 * have begun to wait for a rate instead, once until they go on.
 *
 * `refresh_refused` is a new token on a living connection that was not taken, whatever for; `failed` tells of a guard
 * that broke over it.
 */
export type FaultKind =
  | 'bad_frame'
  | 'bad_request'
  | 'unknown_event'
  | 'rate_limited'
  | 'limit_exceeded'
  | 'late_ack'
  | 'keep_alive'
  | 'broken_frame'
  | 'message_rate'
  | 'byte_rate'
  | 'subscription_rate'
  | 'handler_rate'
  | 'parked'
  | 'refresh_refused';

/** What has gone over a connection so far. */
export interface Traffic {
  /** Messages of the peer, also those that could not be read. */
  readonly messagesReceived: number;
  /** Frames that were written for the peer. */
  readonly messagesSent: number;
  /** Of the socket: framing, upgrade and pings included. */
  readonly bytesReceived: number;
  /** Handed over for the peer, framed and compressed; not exact to the byte where others write, too. */
  readonly bytesSent: number;
}

/** What an observer learns of a connection. */
export interface ObservedConnection {
  readonly id: string;
  /** Empty when anonymous. */
  readonly principal: string;
  readonly address: string;
  /** The path of its gateways. */
  readonly path: string;
  /** Whether it speaks our protocol. */
  readonly ours: boolean;
  /** That both have agreed on; empty where the peer has offered none of ours. */
  readonly subprotocol: string;
  /** From the request to the upgrade, what guards took included. */
  readonly handshakeMs: number;
  /** How long it has been there. */
  readonly ageMs: number;
  readonly traffic: Traffic;
}

/** A node, for an observer that looks at it at times of its own. */
export interface ObservedNode {
  /** Its id, by which other nodes name it. */
  readonly id: string;
  readonly connections: Iterable<ObservedConnection>;
  /** How full its tables are: `connections`, `subscriptions`, `channels`, `outboxBytes`, … */
  sizes(): Readonly<Record<string, number>>;
  /** The pattern that a channel was defined by, of which there are few; `undefined` where there is none. */
  patternOf(channel: string): string | undefined;
}

/** How a peer got into a channel: not having been there before, with all that it had missed, or without. */
export type JoinOutcome = 'new' | 'recovered' | 'gap';

/** How a message was answered; `repeated` with the stored answer of an earlier copy, see `@Acked()`. */
export type AckOutcome = 'done' | 'failed' | 'timeout' | 'repeated';

/** A node that moves its clients to others. */
export interface ObservedDrain {
  /** Clients of this library that it has: the others cannot be told. */
  readonly clients: number;
  /** How long they get. */
  readonly windowMs: number;
}

/** How that went. */
export interface DrainReport extends ObservedDrain {
  /** Clients that have gone when they were told. */
  readonly left: number;
  /** Clients that are still there, and are closed with 1012 where the node shuts down. */
  readonly stayed: number;
  readonly durationMs: number;
  /** Of those that stayed, clients whose slot lies behind the window: they come back from the close, at `perSecond`. */
  readonly late: number;
  /** The most that have gone within one second: about as many have connected elsewhere. Who stays is not in it. */
  readonly peakPerSecond: number;
  /** `drainConnectsPerSecond`; 0 where there is no budget. */
  readonly perSecond: number;
}

/** Where code of the application failed. */
export interface Failure {
  readonly where: string;
  readonly error: unknown;
  /** Stands in the message that the peer got, so that both can be brought together. */
  readonly correlationId?: string;
}

/**
 * Port for logs, metrics and inspectors: the facts that the engine reports. An observer must not
 * throw, and must not keep what it is given longer than the call.
 */
export interface Observer {
  /** The node takes peers on from here on. */
  started?(node: ObservedNode): void;
  /** Guards have let a peer in and it is upgraded; `handleConnection` has not run yet. */
  opened?(connection: ObservedConnection): void;
  /** `code` says why this side thinks the connection ended; the peer of a reaped one sees 1006. */
  closed?(connection: ObservedConnection, code: number, reason: string): void;
  /** A handshake ended without a connection. */
  refused?(refusal: Refusal): void;
  /**
   * A peer has sent what it should not, see {@link FaultKind}. `event` is the one that nothing handles: any text of
   * at most `maxEventLength` characters, and as a label of a metric of no use, for peers may draw each at random.
   */
  faulted?(connection: ObservedConnection, kind: FaultKind, event?: string): void;
  /** Code of the application has thrown what is no answer to a peer, or has given what has no JSON. */
  failed?(failure: Failure): void;
  /**
   * The broker has accepted a publication of this node; also where it was not made again, because the first one
   * under its `key` is still in the history.
   */
  published?(channel: string, event: string): void;
  /** How long the broker took to accept a publication of this node, in milliseconds. */
  accepted?(ms: number): void;
  /**
   * A probe of the broker has come back: what this node publishes is handed to the nodes after so many milliseconds.
   * Told once for each interval and each way there is; a broker within the process has nothing to probe.
   */
  probed?(ms: number): void;
  /** A publication has reached the subscribers of this node; `subscribers` is how many it has. */
  delivered?(channel: string, subscribers: number): void;
  /** A peer has joined a channel, or was joined by the server. */
  joined?(connection: ObservedConnection, channel: string, outcome: JoinOutcome): void;
  /** A handler has ended, after so many milliseconds, guards and pipes included. */
  handled?(connection: ObservedConnection, event: string, ms: number): void;
  /** What was collected in a turn of the event loop is written, so long after the first of it was there. */
  flushed?(ms: number): void;
  /** A new token was taken on a living connection (`$refresh`). */
  refreshed?(connection: ObservedConnection): void;
  /** Sessions were revoked, here or at another node; so many connections of this one end by it. */
  revoked?(connections: number): void;
  /** A message with an `id` was handled and has its final answer. Without an `id` there is none to tell of. */
  acked?(connection: ObservedConnection, event: string, outcome: AckOutcome): void;
  /**
   * A client has measured a message with an `id`: so many milliseconds from the first time that it was sent to its final
   * answer, with all that lay in between, reconnects included. Each client measures one now and then. It is what the
   * client says: of use as a histogram, not to bill anybody.
   */
  timed?(connection: ObservedConnection, ms: number): void;
  /**
   * Answers to `@Acked` messages went before the end of the dedup window, for want of room: a late copy of
   * one of these messages would run again.
   */
  evicted?(count: number): void;
  /** The way to the other nodes has opened or closed; `reason` says why, for an operator. */
  brokerChanged?(state: BrokerState, reason: string): void;
  /** There is something that an operator should change. */
  warned?(text: string): void;
  /** Publications were lost to a subscriber, who is told by `$gap`. */
  gap?(connection: ObservedConnection, channel: string): void;
  /**
   * Publications were dropped, for a reader that is slower than they come, as the channel says (`overflow`). The
   * next one that it gets tells it how many.
   */
  dropped?(connection: ObservedConnection, channel: string, count: number): void;
  /**
   * The node has looked after all its connections, as it does at the latest every second: the time for an observer
   * that adds up to say what it has. It needs no timer then.
   */
  swept?(): void;
  /** The node takes nobody new on, and tells its clients one after the other to connect elsewhere. */
  draining?(drain: ObservedDrain): void;
  /** That is over. */
  drained?(report: DrainReport): void;
  /** Somebody at another node looks at an inspector, and wants figures of this node for so many milliseconds more. */
  watched?(ms: number): void;
  /** The node has shut down: what follows are refusals of who comes nevertheless, and what becomes of what had not ended. */
  stopped?(): void;
  /** Its servers are closed as well: nothing follows but {@link failed}, of handlers that have outlived the shutdown. */
  ended?(): void;
}

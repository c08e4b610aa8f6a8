import type { WireError } from './error-codes.js';

/** Identifies a message of one client. `1` and `"1"` are the same id. */
export type MessageId = string | number;

/** `{ event, data }`, or `{ event, data, id }` for exactly one final answer. */
export interface EventFrame {
  readonly event: string;
  readonly data?: unknown;
  readonly id?: MessageId;
}

/** An answer to a request that the receiver has sent. */
export interface AckFrame {
  readonly ack: MessageId;
  readonly data?: unknown;
  readonly error?: WireError;
  /** One item of a stream; an ack without it ends the exchange. */
  readonly more?: true;
}

/** A publication on a channel. */
export interface PublicationFrame {
  readonly channel: string;
  readonly event: string;
  readonly data?: unknown;
  /** On channels with history: one more than that of the publication before. */
  readonly offset?: number;
  /** How many right before it this reader has lost, because it was too slow; see `overflow` of the channel. */
  readonly dropped?: number;
}

/** What a client may send. */
export type ClientFrame = EventFrame | AckFrame;

/** What a server sends. */
export type ServerFrame = EventFrame | AckFrame | PublicationFrame;

/** The data of `$hello`. */
export interface HelloData {
  /** Kept by the client over its reconnects, secret: 128 random bits as 22 to 64 characters of base64url or hex. */
  readonly clientId?: string;
  /** Asks for `$ping` frames instead of protocol pings, which a browser's script cannot see. */
  readonly heartbeat?: boolean;
}

/** What `$hello` is acked with. */
export interface Welcome {
  readonly connectionId: string;
  /** An opaque tag of who the server takes this client for; empty when anonymous. */
  readonly principal: string;
  /** How long the session goes on, unless `$refresh` renews it; without it for ever. */
  readonly expiresInMs?: number;
  readonly heartbeat: { readonly intervalMs: number; readonly clientTimeoutMs: number };
  readonly limits: Readonly<Record<string, number>>;
}

/** The data of `$subscribe` and `$unsubscribe`. */
export interface ChannelCommandData {
  readonly channel: string;
  /** Handed to the `@SubscribeChannel` method as its message body. */
  readonly params?: unknown;
  /** Where the client wants to go on. */
  readonly since?: ChannelPosition;
}

/** Where a channel with history stands. */
export interface ChannelPosition {
  /** Names one life of the history. */
  readonly epoch: string;
  /** Of the last publication; 0 before the first. */
  readonly offset: number;
}

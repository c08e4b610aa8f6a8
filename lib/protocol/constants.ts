/** The version of the wire protocol that this package speaks. */
export const PROTOCOL_VERSION = 1;

/** The JSON subprotocol of version 1. */
export const JSON_SUBPROTOCOL = 'nestjs-channels.v1.json';

/** Prefix of the subprotocol entry that carries a token as base64url. Never echoed. */
export const BEARER_SUBPROTOCOL_PREFIX = 'nestjs-channels.bearer.';

/** Prefix of the subprotocol entry that brings the ticket of a slot back, see docs/protocol.md section 2.9. Never echoed. */
export const SLOT_SUBPROTOCOL_PREFIX = 'nestjs-channels.slot.';

/** Events that begin with it belong to the protocol. */
export const RESERVED_EVENT_PREFIX = '$';

/** The event of a fault that belongs to no `id`, as Nest names it. */
export const EXCEPTION_EVENT = 'exception';

/** Longest `id` of a message, in characters. */
export const MAX_ID_LENGTH = 64;

/** Longest channel name, in characters (all of them are ASCII). */
export const MAX_CHANNEL_NAME_LENGTH = 255;

/** Bad frames within {@link BAD_FRAME_WINDOW_MS} that close a connection of ours with 4500. */
export const MAX_BAD_FRAMES = 10;

/** The window of {@link MAX_BAD_FRAMES}, in milliseconds. */
export const BAD_FRAME_WINDOW_MS = 10_000;

/** At most one `exception` of the protocol's own within this time on a plain connection, in milliseconds. */
export const PLAIN_EXCEPTION_INTERVAL_MS = 1_000;

/** How long a refused client of ours may take to answer the close before its socket is destroyed. */
export const REFUSED_CLOSE_TIMEOUT_MS = 1_000;

/** Longest reason of a close frame, in bytes of UTF-8 (RFC 6455, section 5.5). */
export const MAX_CLOSE_REASON_BYTES = 123;

/** A client tells by `$timing` at most so often how long an ack took, in milliseconds. */
export const TIMING_INTERVAL_MS = 10_000;

/** Shape of a `clientId`: 128 bits or more, as base64url or hex. */
export const CLIENT_ID = /^[A-Za-z0-9_-]{22,64}$/;

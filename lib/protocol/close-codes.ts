import {
  ABNORMAL_CLOSE,
  closeVerdict,
  IDLE_TIMEOUT_CLOSE,
  NORMAL_CLOSE,
  REPLACED_CLOSE,
  TOKEN_EXPIRED_CLOSE,
  TRY_AGAIN_LATER_CLOSE,
  UNAUTHORIZED_CLOSE,
  type CloseVerdict,
} from './close-verdict.js';

/** A line of {@link CLOSE_CODES}: the number on the wire, its name, and whether a client comes back. */
export interface CloseCodeEntry {
  readonly code: number;
  readonly name: string;
  readonly verdict: CloseVerdict;
  readonly reason: string;
}

const entry = (code: number, name: string, reason: string): CloseCodeEntry => ({
  code,
  name,
  verdict: closeVerdict(code),
  reason,
});

/**
 * Every close code that this protocol gives a meaning, see docs/protocol.md section 8.
 * 4000-4499 come back, 4500-4999 stay away; a code that is not listed obeys its range.
 */
export const CLOSE_CODES = {
  Normal: entry(NORMAL_CLOSE, 'normal', 'closed on purpose'),
  GoingAway: entry(1001, 'going_away', 'the peer leaves its page or process'),
  ProtocolError: entry(1002, 'protocol_error', 'the WebSocket framing was violated'),
  UnsupportedData: entry(1003, 'unsupported_data', 'a kind of data that is not accepted'),
  NoStatus: entry(1005, 'no_status', 'closed without a code'),
  Abnormal: entry(ABNORMAL_CLOSE, 'abnormal', 'the connection was lost without a close frame'),
  InvalidPayload: entry(1007, 'invalid_payload', 'text that is no UTF-8'),
  PolicyViolation: entry(1008, 'policy_violation', 'too many fragments'),
  MessageTooBig: entry(1009, 'message_too_big', 'a message over maxMessageBytes'),
  MandatoryExtension: entry(1010, 'mandatory_extension', 'the client misses an extension'),
  InternalError: entry(1011, 'internal_error', 'the server failed before the connection was open'),
  ServiceRestart: entry(1012, 'service_restart', 'the server shuts down or restarts'),
  TryAgainLater: entry(TRY_AGAIN_LATER_CLOSE, 'try_again_later', 'the server takes no connections now'),
  BadGateway: entry(1014, 'bad_gateway', 'a proxy lost its upstream'),
  TlsFailure: entry(1015, 'tls_failure', 'the TLS handshake failed'),
  TokenExpired: entry(TOKEN_EXPIRED_CLOSE, 'token_expired', 'come back with a new token'),
  HeartbeatMissed: entry(4408, 'heartbeat_missed', 'silent for longer than heartbeatTimeoutMs'),
  SlowConsumer: entry(4413, 'slow_consumer', 'the outbox passed maxOutboxBytes'),
  TooManyRequests: entry(4429, 'too_many_requests', 'a rate limit, after warnings'),
  BadFrame: entry(4500, 'bad_frame', 'ten bad frames in ten seconds'),
  Unauthorized: entry(UNAUTHORIZED_CLOSE, 'unauthorized', 'the handshake guard said no'),
  Forbidden: entry(4503, 'forbidden', 'revoked, or not allowed here'),
  NotFound: entry(4504, 'not_found', 'no gateway has this path'),
  UnsupportedProtocol: entry(4506, 'unsupported_protocol', 'an unknown version of this protocol'),
  Replaced: entry(REPLACED_CLOSE, 'replaced', 'the same client opened a second connection on this node'),
  IdleTimeout: entry(
    IDLE_TIMEOUT_CLOSE,
    'idle_timeout',
    'alive, but nothing said; comes back with the next send',
  ),
} as const satisfies Record<string, CloseCodeEntry>;

const BY_CODE: ReadonlyMap<number, CloseCodeEntry> = new Map(
  Object.values(CLOSE_CODES).map((known) => [known.code, known]),
);

/** The table's entry of a code, or `undefined` where the code is not in the table. */
export function closeCode(code: number): CloseCodeEntry | undefined {
  return BY_CODE.get(code);
}

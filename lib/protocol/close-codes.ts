/** What a client does after a close: come back, or stay away. */
export type CloseVerdict = 'reconnect' | 'stay';

export interface CloseCodeEntry {
  readonly code: number;
  readonly name: string;
  readonly verdict: CloseVerdict;
  readonly reason: string;
}

const entry = (code: number, name: string, verdict: CloseVerdict, reason: string): CloseCodeEntry => ({
  code,
  name,
  verdict,
  reason,
});

/**
 * Every close code that this protocol gives a meaning, see docs/protocol.md section 8.
 * 4000-4499 come back, 4500-4999 stay away; a code that is not listed obeys its range.
 */
export const CLOSE_CODES = {
  Normal: entry(1000, 'normal', 'stay', 'closed on purpose'),
  GoingAway: entry(1001, 'going_away', 'reconnect', 'the peer leaves its page or process'),
  ProtocolError: entry(1002, 'protocol_error', 'stay', 'the WebSocket framing was violated'),
  UnsupportedData: entry(1003, 'unsupported_data', 'stay', 'a kind of data that is not accepted'),
  NoStatus: entry(1005, 'no_status', 'reconnect', 'closed without a code'),
  Abnormal: entry(1006, 'abnormal', 'reconnect', 'the connection was lost without a close frame'),
  InvalidPayload: entry(1007, 'invalid_payload', 'stay', 'text that is no UTF-8'),
  PolicyViolation: entry(1008, 'policy_violation', 'stay', 'too many fragments'),
  MessageTooBig: entry(1009, 'message_too_big', 'stay', 'a message over maxMessageBytes'),
  MandatoryExtension: entry(1010, 'mandatory_extension', 'stay', 'the client misses an extension'),
  InternalError: entry(
    1011,
    'internal_error',
    'reconnect',
    'the server failed before the connection was open',
  ),
  ServiceRestart: entry(1012, 'service_restart', 'reconnect', 'the server shuts down or restarts'),
  TryAgainLater: entry(1013, 'try_again_later', 'reconnect', 'the server takes no connections now'),
  BadGateway: entry(1014, 'bad_gateway', 'reconnect', 'a proxy lost its upstream'),
  TlsFailure: entry(1015, 'tls_failure', 'stay', 'the TLS handshake failed'),
  TokenExpired: entry(4401, 'token_expired', 'reconnect', 'come back with a new token'),
  HeartbeatMissed: entry(4408, 'heartbeat_missed', 'reconnect', 'silent for longer than heartbeatTimeoutMs'),
  SlowConsumer: entry(4413, 'slow_consumer', 'reconnect', 'the outbox passed maxOutboxBytes'),
  TooManyRequests: entry(4429, 'too_many_requests', 'reconnect', 'a rate limit, after warnings'),
  BadFrame: entry(4500, 'bad_frame', 'stay', 'ten bad frames in ten seconds'),
  Unauthorized: entry(4501, 'unauthorized', 'stay', 'the handshake guard said no'),
  Forbidden: entry(4503, 'forbidden', 'stay', 'revoked, or not allowed here'),
  NotFound: entry(4504, 'not_found', 'stay', 'no gateway has this path'),
  UnsupportedProtocol: entry(4506, 'unsupported_protocol', 'stay', 'an unknown version of this protocol'),
  Replaced: entry(4509, 'replaced', 'stay', 'the same client opened a second connection on this node'),
  IdleTimeout: entry(4510, 'idle_timeout', 'stay', 'alive, but nothing said; comes back with the next send'),
} as const satisfies Record<string, CloseCodeEntry>;

const BY_CODE: ReadonlyMap<number, CloseCodeEntry> = new Map(
  Object.values(CLOSE_CODES).map((known) => [known.code, known]),
);

/** The table's entry of a code, or `undefined` where the code is not in the table. */
export function closeCode(code: number): CloseCodeEntry | undefined {
  return BY_CODE.get(code);
}

/** What a client does after `code`: by the table, and for an unknown code by its range. */
export function closeVerdict(code: number): CloseVerdict {
  const known = BY_CODE.get(code);
  if (known) return known.verdict;
  return code >= 4500 && code <= 4999 ? 'stay' : 'reconnect';
}

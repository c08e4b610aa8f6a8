/** Errors that a server sends in an ack or an `exception` frame, see docs/protocol.md section 9. */
export const ERROR_CODES = {
  bad_frame: {
    retryable: false,
    meaning: 'no JSON, no object, a wrong type of event or id, or nested too deep',
  },
  bad_request: { retryable: false, meaning: 'the data was refused; `details` says which part' },
  unknown_event: { retryable: false, meaning: 'no handler has this event' },
  unknown_channel: { retryable: false, meaning: 'no pattern matches this channel name, or it is no name' },
  unauthorized: { retryable: false, meaning: 'who this is, is not known' },
  forbidden: { retryable: false, meaning: 'a guard said no' },
  not_subscribed: { retryable: false, meaning: 'this connection is not in the channel' },
  limit_exceeded: { retryable: false, meaning: 'a limit of this connection was reached' },
  rate_limited: { retryable: true, meaning: 'too much at once; come back after `retryAfterMs`' },
  timeout: { retryable: true, meaning: 'no answer in time: handlerTimeoutMs, or requestTimeoutMs' },
  unavailable: {
    retryable: true,
    meaning: 'the broker is away, the server shuts down, or the client that was asked is gone',
  },
  conflict: { retryable: false, meaning: 'the same id with another event or other data' },
  payload_too_large: { retryable: false, meaning: 'more bytes than maxMessageBytes' },
  internal: {
    retryable: false,
    meaning: 'the handler failed; the log has the cause under the id in the message',
  },
} as const;

/** The code of an error in an ack. Codes are never renamed within a protocol version. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** An error as it stands on the wire. */
export interface WireError {
  readonly code: ErrorCode;
  /** For people. Holds nothing from inside the server. */
  readonly message: string;
  /** Whether the same message may succeed later. */
  readonly retryable: boolean;
  /** How long to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number;
  /** What exactly was refused, for example the fields that failed validation. */
  readonly details?: unknown;
}

/** Whether a code is one of {@link ERROR_CODES}; a newer server may send others. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

import { ERROR_CODES, type ErrorCode, type WireError } from '../protocol/index.js';

/** What a {@link ChannelsError} may carry besides its code and message. */
export interface ChannelsErrorOptions extends ErrorOptions {
  /** Tell the peer when to try again, in milliseconds. */
  readonly retryAfterMs?: number;
  /**
   * Whether another try may help. `true` says as well that nothing has happened: the message of an
   * `@Acked()` handler runs again.
   *
   * @default what the code says
   */
  readonly retryable?: boolean;
  /** What exactly was refused. Sent to the peer as it is. */
  readonly details?: unknown;
}

/**
 * An error with a code of the protocol. Thrown from a handler or a `@SubscribeChannel` method it
 * reaches the peer with its code, message and details; its `cause` stays in the log.
 *
 * @publicApi
 */
export class ChannelsError extends Error {
  override readonly name = 'ChannelsError';
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly details?: unknown;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: ChannelsErrorOptions = {},
  ) {
    super(message, options);
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }
}

/** The broker, or a store, is away: where that is told once it is not told for each thing that fails by it. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof ChannelsError && error.code === 'unavailable';
}

/** The error as the peer sees it. */
export function toWireError(error: ChannelsError): WireError {
  return {
    code: error.code,
    message: error.message,
    retryable: error.retryable,
    retryAfterMs: error.retryAfterMs,
    details: error.details,
  };
}

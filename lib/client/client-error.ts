import type { ErrorCode, WireError } from '../protocol/index.js';

/**
 * Why a call of the client failed: a code of the server (docs/protocol.md, section 9), or one of the
 * client's own.
 *
 * - `expired`: first sent so long ago that the server may not know the id any more
 * - `principal_changed`: somebody else is logged in than when it was queued
 * - `queue_full`: `maxQueue`, `maxQueueBytes` or `maxBuffered` is reached
 * - `closed`: the client closed, {@link ChannelsClientError.closeCode} may say why
 * - `connect_failed`: an attempt to connect failed; the message tells at what
 * - `listener_failed`: a listener of the application threw; `cause` is what it threw
 * - `storage_failed`: what the storage could not do; the client goes on without it
 *
 * @publicApi
 */
export type ClientErrorCode =
  | ErrorCode
  | 'expired'
  | 'principal_changed'
  | 'queue_full'
  | 'closed'
  | 'connect_failed'
  | 'listener_failed'
  | 'storage_failed';

interface ErrorExtras {
  readonly details?: unknown;
  readonly closeCode?: number;
  readonly cause?: unknown;
}

/**
 * What every call of the client rejects with, and what `$error` is told with; {@link ClientErrorCode} lists
 * the codes.
 *
 * @publicApi
 */
export class ChannelsClientError extends Error {
  override readonly name = 'ChannelsClientError';

  /** What exactly was refused, for example the fields that failed validation. */
  readonly details?: unknown;

  /** The close code that ended the connection, where one did. */
  readonly closeCode?: number;

  constructor(
    readonly code: ClientErrorCode,
    message: string,
    { details, closeCode, cause }: ErrorExtras = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.details = details;
    this.closeCode = closeCode;
  }
}

/** What the server has answered, as what a call rejects with. */
export function errorOf({ code, message, details }: WireError): ChannelsClientError {
  return new ChannelsClientError(code, message, { details });
}

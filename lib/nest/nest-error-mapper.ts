import { ChannelsError, toWireError } from '../core/errors.js';
import type { ErrorMapper, Message } from '../core/handler.interface.js';
import type { Observers } from '../core/observers.js';
import type { Random } from '../core/random.interface.js';
import { CLOSE_CODES, ERROR_CODES, isErrorCode, type ErrorCode, type WireError } from '../protocol/index.js';
import { closeCodeOf } from '../transport/index.js';
import { FilteredException, ForbiddenMessage } from './message-pipeline.js';

/** What stock Nest tells of an exception that is none of its own. */
const UNKNOWN = 'Internal server error';

// Told by their methods and not by their classes: an application may have two copies of a package.
interface HttpExceptionLike {
  readonly message: string;
  getStatus(): number;
  getResponse(): unknown;
}

interface WsExceptionLike {
  readonly message: string;
  getError(): unknown;
}

/** Nest's exceptions as errors of the protocol. Nothing else of an error reaches the peer. */
export class NestErrorMapper implements ErrorMapper {
  constructor(
    private readonly observers: Observers,
    private readonly random: Random,
  ) {}

  // Anything can be thrown, also what throws when it is looked at.

  toWireError(error: unknown, message: Message): WireError {
    try {
      return this.#toWireError(error, message);
    } catch (failure) {
      return this.#internal(failure, message);
    }
  }

  toException(error: unknown, message: Message): unknown {
    try {
      return this.#toException(error, message);
    } catch (failure) {
      this.#report(failure, message);
      return { status: 'error', message: UNKNOWN };
    }
  }

  toClose(error: unknown): { code: number; reason: string } {
    try {
      if (isHttpException(error)) return { code: closeCodeOf(error.getStatus()), reason: '' };
      this.observers.failed({ where: 'handleConnection', error });
    } catch (failure) {
      this.observers.failed({ where: 'handleConnection', error: failure });
    }
    return { code: CLOSE_CODES.InternalError.code, reason: '' };
  }

  #toWireError(error: unknown, message: Message): WireError {
    if (error instanceof FilteredException) return this.#toWireError(error.cause, message);
    if (error instanceof ChannelsError) return toWireError(error);
    if (isHttpException(error)) return this.#fromHttp(error, message);
    if (isWsException(error)) return fromWs(error);
    return this.#internal(error, message);
  }

  #toException(error: unknown, message: Message): unknown {
    if (error instanceof FilteredException) return undefined;
    const cause = { pattern: message.event, data: message.data };
    if (error instanceof ChannelsError) {
      const { code, message: text, retryAfterMs } = error;
      return { status: 'error', code, message: text, retryAfterMs, cause };
    }
    if (!isWsException(error)) {
      if (!isHttpException(error)) this.#report(error, message);
      return { status: 'error', message: UNKNOWN, cause };
    }
    const result = error.getError();
    return typeof result === 'object' && result !== null
      ? result
      : { status: 'error', message: result, cause };
  }

  #fromHttp(error: HttpExceptionLike, message: Message): WireError {
    const status = error.getStatus();
    const code = codeOfStatus(status);
    if (code === 'internal') this.#report(error, message);
    const response = error.getResponse();
    const details = typeof response === 'object' && response !== null ? response : { statusCode: status };
    return wire(code, error.message, details);
  }

  #internal(error: unknown, message: Message): WireError {
    return wire('internal', `${UNKNOWN} (${this.#report(error, message)})`);
  }

  #report(error: unknown, message: Message): string {
    const correlationId = this.random.id();
    this.observers.failed({ where: message.event, error, correlationId });
    return correlationId;
  }
}

function fromWs(error: WsExceptionLike): WireError {
  const result = error.getError();
  if (error instanceof ForbiddenMessage) return wire('forbidden', error.message);
  if (typeof result !== 'object' || result === null) return wire('bad_request', String(result));
  const { code, message } = result as { readonly code?: unknown; readonly message?: unknown };
  return wire(
    isErrorCode(code) ? code : 'bad_request',
    typeof message === 'string' ? message : error.message,
    result,
  );
}

function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 408:
    case 504:
      return 'timeout';
    case 409:
      return 'conflict';
    case 413:
      return 'payload_too_large';
    case 429:
      return 'rate_limited';
    case 503:
      return 'unavailable';
    default:
      return status < 500 ? 'bad_request' : 'internal';
  }
}

function wire(code: ErrorCode, message: string, details?: unknown): WireError {
  return { code, message, retryable: ERROR_CODES[code].retryable, details };
}

export function isHttpException(error: unknown): error is HttpExceptionLike {
  return hasMethod(error, 'getStatus') && hasMethod(error, 'getResponse');
}

function isWsException(error: unknown): error is WsExceptionLike {
  return hasMethod(error, 'getError');
}

function hasMethod(value: unknown, name: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === 'function'
  );
}

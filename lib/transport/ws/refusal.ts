import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RefusalReason } from '../../core/observer.interface.js';
import { CLOSE_CODES } from '../../protocol/index.js';

/** Header names and values, as a guard has set them. */
export type RefusalHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** An upgrade that is answered with an HTTP status instead of 101. Thrown by whoever decides it. */
export class HandshakeRefusal extends Error {
  override readonly name: string = 'HandshakeRefusal';
  readonly reason: RefusalReason;
  /** What the close of a client of ours says: `{"retryAfterMs":n}` where the refusal says when to come back. */
  readonly closeReason: string;

  constructor(
    readonly status: number,
    /** The JSON body; by default Nest's `{ statusCode, message, error }`. */
    readonly body: unknown = defaultBody(status),
    readonly headers: RefusalHeaders = {},
    /** What an operator can do about it. Logged, never sent. */
    readonly advice?: string,
  ) {
    super(`refused with ${status}`);
    this.reason = status === 500 ? 'failure' : 'guard';
    this.closeReason = closeReasonOf(headers);
  }

  /** What the body says, for the log. */
  get text(): string {
    const { body } = this;
    return String(typeof body === 'object' && body !== null && 'message' in body ? body.message : body);
  }
}

export interface LimitRefusalParts {
  readonly status: number;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** The ticket of a slot: then the time is this peer's alone. */
  readonly ticket?: string;
  /** What an operator can do about it. Logged, never sent. */
  readonly advice?: string;
}

/** A refusal by the server itself. */
export class LimitRefusal extends HandshakeRefusal {
  override readonly name = 'LimitRefusal';
  override readonly closeReason: string;

  constructor(
    override readonly reason: RefusalReason,
    { status, message, retryAfterMs, ticket, advice }: LimitRefusalParts,
  ) {
    // The header knows whole seconds only.
    const seconds = retryAfterMs === undefined ? undefined : String(Math.ceil(retryAfterMs / 1_000));
    const headers: RefusalHeaders = seconds === undefined ? {} : { 'Retry-After': seconds };
    super(status, defaultBody(status, message), headers, advice);
    this.closeReason = retryAfterMs === undefined ? '' : JSON.stringify({ retryAfterMs, slot: ticket });
  }
}

export function defaultBody(status: number, message = STATUS_CODES[status]): unknown {
  const error = STATUS_CODES[status];
  return message === error ? { statusCode: status, message } : { statusCode: status, message, error };
}

/** The close code for a client of ours, which cannot read an HTTP status: docs/protocol.md section 2. */
export function closeCodeOf(status: number): number {
  switch (status) {
    case 401:
      return CLOSE_CODES.Unauthorized.code;
    case 404:
      return CLOSE_CODES.NotFound.code;
    case 413:
      return CLOSE_CODES.MessageTooBig.code;
    case 429:
      return CLOSE_CODES.TooManyRequests.code;
    case 503:
      return CLOSE_CODES.TryAgainLater.code;
    default:
      return status >= 400 && status < 500 ? CLOSE_CODES.Forbidden.code : CLOSE_CODES.InternalError.code;
  }
}

/** `{"retryAfterMs":n}` where the headers say when to come back, else nothing. */
export function closeReasonOf(headers: RefusalHeaders): string {
  const name = Object.keys(headers).find((header) => header.toLowerCase() === 'retry-after');
  const value = name === undefined ? undefined : String(headers[name]);
  if (value === undefined) return '';
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? JSON.stringify({ retryAfterMs: Math.max(0, Math.round(ms)) }) : '';
}

/** Answers an upgrade with an HTTP status and ends the socket. */
export function writeRefusal(socket: Duplex, refusal: HandshakeRefusal): void {
  if (socket.destroyed) return;
  const body = Buffer.from(JSON.stringify(refusal.body));
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${body.length}`,
    ...headerLines(refusal.headers),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]));
}

/** Headers that describe the body are ours to set. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-type',
  'content-length',
  'transfer-encoding',
]);

function headerLines(headers: RefusalHeaders): string[] {
  return Object.entries(headers)
    .filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()))
    .flatMap(([name, values]) =>
      [values].flat().map((value) => {
        validateHeaderName(name);
        validateHeaderValue(name, String(value));
        return `${name}: ${String(value)}`;
      }),
    );
}

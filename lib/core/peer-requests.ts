import { isErrorCode, type AckFrame, type MessageId } from '../protocol/index.js';
import type { RequestOptions } from './channel-socket.js';
import type { Connection } from './connection.js';
import type { Expirable } from './deadlines.js';
import { EncodedFrame } from './encoded-frame.js';
import { ChannelsError } from './errors.js';
import { checkEventName } from './event-name.js';
import { MAX_TIMER_MS } from './options.js';

/** Longest text that is taken over from the error of a peer, in characters. The rest is cut off. */
const MAX_ERROR_TEXT_LENGTH = 1_024;

/**
 * Of every error that a request ends with, whatever its code says: the handler that has asked may have had its
 * effect before. Only the handler knows, and raises an error of its own where it may run again.
 */
const FINAL = { retryable: false };

/** What the application has asked one peer, until it is answered. */
export class PeerRequests {
  /** Whoever takes one out of here settles it, and nobody else. */
  readonly #open = new Map<string, PeerRequest>();

  constructor(private readonly connection: Connection) {}

  /** Those without an answer. */
  get size(): number {
    return this.#open.size;
  }

  /** Sends `{ event, data, id }`. Settles with the answer of the peer, and never throws. */
  send(event: string, data: unknown, options: RequestOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // What is thrown in here rejects.
      const { signal, timeoutMs = this.connection.engine.options.requestTimeoutMs } = options;
      signal?.throwIfAborted();
      checkTimeout(timeoutMs);
      const id = this.connection.engine.random.id();
      const frame = this.#encode(event, data, id);
      // Behind the encoding, which runs code of the application.
      this.#checkRoom();
      const waitMs = Math.min(timeoutMs, MAX_TIMER_MS);
      this.#add(new PeerRequest(this, id, { event, waitMs, signal, resolve, reject }));
      this.connection.outbox.push(frame);
    });
  }

  /** Whether the answer belongs to a request that is open, and has settled it. */
  answer({ ack, data, error }: AckFrame): boolean {
    const request = this.take(ack);
    // Where a peer writes out what is absent, `null` is no error.
    if (error === undefined || error === null) request?.resolve(data);
    else request?.reject(readError(error));
    return request !== undefined;
  }

  /** The answer has come, and cannot be taken. */
  refuse(ack: MessageId, error: ChannelsError): void {
    this.take(ack)?.reject(error);
  }

  /** Nothing is read from the peer any more. */
  end(): void {
    for (const { id, event } of this.#open.values()) {
      const text = `the connection ended before the answer to "${event}"`;
      this.take(id)?.reject(new ChannelsError('unavailable', text, FINAL));
    }
  }

  /** Takes a request out; the caller settles it. */
  take(id: MessageId): PeerRequest | undefined {
    const request = this.#open.get(String(id));
    if (!request) return undefined;
    this.#open.delete(request.id);
    this.connection.engine.alarms.delete(request, request.waitMs);
    request.unwatch();
    return request;
  }

  #add(request: PeerRequest): void {
    this.#open.set(request.id, request);
    this.connection.engine.alarms.add(request, request.waitMs);
    request.watch();
  }

  #encode(event: string, data: unknown, id: string): EncodedFrame {
    const { codec, endpoint, engine } = this.connection;
    checkEventName(event, engine.options.maxEventLength);
    let frame: EncodedFrame;
    try {
      frame = new EncodedFrame(codec.encodeRequest(event, data, id));
    } catch (cause) {
      throw new ChannelsError('bad_request', 'the data of a request has no JSON', { cause });
    }
    const maxMessageBytes = endpoint.maxMessageBytes ?? engine.options.maxMessageBytes;
    if (frame.byteLength <= maxMessageBytes) return frame;
    const text = `the request (${frame.byteLength} bytes) is over maxMessageBytes (${maxMessageBytes})`;
    throw new ChannelsError('payload_too_large', text);
  }

  #checkRoom(): void {
    const { state, engine } = this.connection;
    if (state === 'opening') {
      const text = 'nothing is read before handleConnection has settled: ask the client after it';
      throw new ChannelsError('unavailable', text, FINAL);
    }
    if (state !== 'open') throw new ChannelsError('unavailable', 'the connection has closed', FINAL);
    const { maxRequestsPerConnection } = engine.options;
    if (this.#open.size < maxRequestsPerConnection) return;
    const text = `a connection may have ${maxRequestsPerConnection} requests that are not answered`;
    throw new ChannelsError('limit_exceeded', text);
  }
}

interface RequestParts {
  readonly event: string;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One request that has no answer yet. */
class PeerRequest implements Expirable {
  expiresAt = 0;
  readonly #abort = (): void => this.table.take(this.id)?.reject(this.parts.signal?.reason);

  constructor(
    private readonly table: PeerRequests,
    readonly id: string,
    private readonly parts: RequestParts,
  ) {}

  get event(): string {
    return this.parts.event;
  }

  get waitMs(): number {
    return this.parts.waitMs;
  }

  expire(): void {
    const text = `the client has not answered "${this.event}" within ${this.waitMs} ms`;
    this.table.take(this.id)?.reject(new ChannelsError('timeout', text, FINAL));
  }

  watch(): void {
    this.parts.signal?.addEventListener('abort', this.#abort);
  }

  unwatch(): void {
    this.parts.signal?.removeEventListener('abort', this.#abort);
  }

  resolve(answer: unknown): void {
    this.parts.resolve(answer);
  }

  reject(error: unknown): void {
    this.parts.reject(error);
  }
}

function checkTimeout(timeoutMs: unknown): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 1) return;
  throw new ChannelsError('bad_request', `timeoutMs (${String(timeoutMs)}) must be a number of at least 1`);
}

/** A peer may send anything: a code that the protocol does not have counts as `internal`. */
function readError(error: unknown): ChannelsError {
  const { code, message, details } = Object(error) as Readonly<Record<string, unknown>>;
  const text = typeof message === 'string' ? message : 'the client gave no reason';
  const options = { ...FINAL, details };
  return new ChannelsError(
    isErrorCode(code) ? code : 'internal',
    text.slice(0, MAX_ERROR_TEXT_LENGTH),
    options,
  );
}

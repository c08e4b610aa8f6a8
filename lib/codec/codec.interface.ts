import type { MessageId, WireError } from '../protocol/index.js';

/**
 * Turns frames into what a transport carries, and back. One instance serves all connections. What encodes a value
 * throws where the value has no JSON, or would be nested deeper than `maxNesting` in its frame.
 */
export interface Codec {
  /** The subprotocol that selects this codec. */
  readonly subprotocol: string;

  /**
   * Reads one message from a peer.
   *
   * @throws DecodeError when the message is not of this codec's form, or nested deeper than `maxNesting`
   */
  decode(message: string | Uint8Array): unknown;

  /** `{ event, data }` */
  encodeEvent(event: string, data: unknown): string;

  /** `{ event, data, id }`: asks the peer for an answer. */
  encodeRequest(event: string, data: unknown, id: MessageId): string;

  /** `{ channel, event, data, offset }`; the data is JSON text already, encoded once where it was published. */
  encodePublication(channel: string, event: string, json: string | undefined, offset?: number): string;

  /** `{ channel, event, data, offset, dropped }` of an encoded publication, for the one reader that has lost some. */
  markDropped(publication: string, dropped: number): string;

  /** `{ ack, data }`, with `more: true` for an item of a stream. */
  encodeAck(id: MessageId, data: unknown, more: boolean): string;

  /** `{ ack, error }` */
  encodeError(id: MessageId, error: WireError): string;

  /** `{ ack, data }` or `{ ack, error }` of what is JSON text already, encoded once where the message ran. */
  encodeAnswer(id: MessageId, member: 'data' | 'error', json: string | undefined): string;

  /** The data or the error of a frame, for {@link encodeAnswer} or {@link encodePublication}. */
  encodeData(value: unknown): string | undefined;

  /** A value on its own, as stock Nest answers with what a handler returned. */
  encodeValue(value: unknown): string | undefined;
}

/** What a peer sent cannot be read. The message is safe to be told to the peer. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';

  constructor(
    message: string,
    /** The error code that the peer is told. */
    readonly code: 'bad_frame' | 'bad_request',
    /** What was read before the fault was found: it may name the `id` to answer. */
    readonly value?: unknown,
  ) {
    super(message);
  }
}

import type { ChannelDefinition } from './channel-definition.js';
import type { Connection } from './connection.js';
import type { Handler } from './handler.interface.js';
import type { PatternTable } from './pattern.js';

/** The methods of the gateways for the channels of one pattern. */
export interface ChannelRoute {
  readonly definition: ChannelDefinition;
  /** Without it a client cannot join. */
  readonly subscribe?: Handler;
  readonly unsubscribe?: Handler;
}

/** One path of one port, with all that the gateways there can do. */
export interface Endpoint {
  readonly path: string;

  /** The longest message from a peer, where it is not the option `maxMessageBytes`. */
  readonly maxMessageBytes?: number;

  /** Whether the rates of connections do not hold here. */
  readonly isUnlimited?: boolean;

  /** Whether pings below the protocol are left to the connection to answer, which knows how many are too many. */
  readonly answersPings?: boolean;

  /** From so many bytes on a frame is compressed, once for all who take it so. Without it `ws` does as it was told. */
  readonly deflatesFrom?: number | undefined;

  /**
   * Reads a message of a plain connection in the application's own way: gives a frame, `undefined` for what is
   * to be left aside, or throws a `DecodeError`. Without it the codec does.
   */
  readonly parse?: ((message: string | Uint8Array) => unknown) | undefined;

  /** By event. Several gateways of one path may handle the same event; the first one answers. */
  readonly handlers: ReadonlyMap<string, readonly Handler[]>;

  readonly channels: PatternTable<ChannelRoute>;

  /** The gateways' `handleConnection`, with the request of the transport. A rejection closes the connection. */
  connected(connection: Connection, request: unknown): Promise<void> | void;

  /** The gateways' `handleDisconnect`. Never rejects. */
  disconnected(connection: Connection, code: number): Promise<void> | void;
}

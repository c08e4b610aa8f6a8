import type { MessageId, WireError } from '../protocol/index.js';
import type { Connection } from './connection.js';

/** One message on its way to a handler. */
export class Message {
  constructor(
    readonly connection: Connection,
    readonly event: string,
    readonly data: unknown,
    /** Present where the peer waits for an answer. */
    readonly id?: MessageId,
    /** The channel of a `@SubscribeChannel` or `@UnsubscribeChannel` method. */
    readonly channel?: string,
    /** The parameters of that channel's name. */
    readonly params?: Readonly<Record<string, string>>,
  ) {}
}

/** Lets one copy of a message run. Stands behind the guards and before the rest of an acked handler. */
export interface Gate {
  /** Whether this copy runs. Neither throws nor rejects: why it does not run is the gate's to answer. */
  enter(): Promise<boolean> | boolean;
}

/** What a handler gives whose gate has turned the message away. */
export const TURNED_AWAY = Symbol('turned away');

/** Code of the application that takes the messages of one event. */
export interface Handler {
  readonly event: string;

  /** Whether a message id runs at most once, see `@Acked()`. */
  readonly acked: boolean;

  /** Whether an acked handler runs beside the others of its connection. */
  readonly concurrent?: boolean;

  /** Itself without its rate, for what the server does of its own accord. */
  readonly unlimited?: Handler;

  /**
   * Runs the guards, pipes and interceptors and the method. May return the answer, a promise of
   * it, or a `ResultStream`; throws or rejects what the peer is to be told. Where there is a gate, it
   * is asked once the guards have passed; {@link TURNED_AWAY} is the result where it says no.
   */
  handle(message: Message, gate?: Gate): unknown;
}

/** Turns what a handler threw into what the peer may see. */
export interface ErrorMapper {
  /** For an answer to an `id`. Reports what the peer must not see. */
  toWireError(error: unknown, message: Message): WireError;

  /** The data of the `exception` event for a message without an `id`; `undefined` where none is due. */
  toException(error: unknown, message: Message): unknown;

  /** How a connection is closed whose `handleConnection` failed. */
  toClose(error: unknown): { readonly code: number; readonly reason: string };
}

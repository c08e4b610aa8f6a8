import type { Connection } from './connection.js';

/** A connection that was turned away. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly url: string;
  readonly address: string;
  /** What an operator can do about it. */
  readonly advice?: string;
}

/** A fault of a peer that ended in an error frame, or was dropped on purpose. */
export type FaultKind = 'bad_frame' | 'bad_request' | 'unknown_event' | 'late_ack' | 'keep_alive';

/** Where code of the application failed. */
export interface Failure {
  readonly where: string;
  readonly error: unknown;
  /** Stands in the message that the peer got, so that both can be brought together. */
  readonly correlationId?: string;
}

/**
 * Port for logs, metrics and inspectors: the facts that the engine reports. An observer must not
 * throw, and must not keep what it is given longer than the call.
 */
export interface Observer {
  opened?(connection: Connection): void;
  /** `code` says why this side thinks the connection ended; the peer of a reaped one sees 1006. */
  closed?(connection: Connection, code: number, reason: string): void;
  refused?(refusal: Refusal): void;
  faulted?(connection: Connection, kind: FaultKind): void;
  failed?(failure: Failure): void;
  published?(channel: string, event: string): void;
  delivered?(channel: string, subscribers: number): void;
  acked?(connection: Connection, event: string, outcome: 'done' | 'failed' | 'timeout'): void;
  /** Publications were lost to a subscriber, who is told by `$gap`. */
  gap?(connection: Connection, channel: string): void;
}

/** A message that is to be answered later. */
export interface Unanswered {
  /** Whether it counts against `maxInFlight`. */
  readonly isAwaited: boolean;

  /** The connection has ended: nobody waits for the answer. */
  cancel(): void;
}

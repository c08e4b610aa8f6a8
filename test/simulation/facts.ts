import { Ledger } from './ledger.js';
import { Runs } from './runs.js';
import type { Time } from './time.js';

/** The invariants of a history; I12 concerns transports that there are not yet. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11';

export interface Violation {
  readonly invariant: Invariant;
  readonly text: string;
}

/** What happened in one history, as nobody in it could know it. */
export class Facts {
  readonly violations: Violation[] = [];
  readonly ledger = new Ledger(this);
  readonly runs: Runs;

  constructor(readonly time: Time) {
    this.runs = new Runs(this, time);
  }

  /** Notes a violation where the rule does not hold. */
  check(invariant: Invariant, holds: boolean, text: string): void {
    if (!holds) this.violations.push({ invariant, text: `${text} (at ${Math.round(this.time.now)} ms)` });
  }
}

import { performance } from 'node:perf_hooks';
import { onTestFinished } from 'vitest';

const PERIOD_MS = 5;
/** What any timer may be late by on an idle machine. */
const USUAL_MS = 10;

/**
 * Measures by how much timers of this process have been late, so that a test of real time allows
 * for exactly what the machine has taken, and for nothing else. Ends with the test.
 */
export class LagMeter {
  #lostMs = USUAL_MS;
  #beatAt = performance.now();

  constructor() {
    const timer = setInterval(() => this.#beat(), PERIOD_MS);
    onTestFinished(() => clearInterval(timer));
  }

  /** Time in which the event loop stood still. */
  get lostMs(): number {
    this.#beat();
    return this.#lostMs;
  }

  #beat(): void {
    const now = performance.now();
    const lateMs = now - this.#beatAt - PERIOD_MS;
    this.#beatAt = now;
    if (lateMs > USUAL_MS) this.#lostMs += lateMs;
  }
}

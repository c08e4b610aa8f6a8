import { createHistogram } from 'node:perf_hooks';

/** The longest time that is told apart: an hour, in microseconds. */
const LONGEST_US = 3_600_000_000;

const US_PER_MS = 1_000;

/** Significant digits: a figure is off by a thousandth at most. */
const FIGURES = 3;

/** What times are told as, in milliseconds; `null` where nothing was timed. */
export interface TimingSummary {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Times of one kind, in a histogram: as much memory for a million of them as for one. */
export class Timings {
  readonly #histogram = createHistogram({ lowest: 1, highest: LONGEST_US, figures: FIGURES });

  /** Times below a microsecond count as one, those over an hour as an hour. */
  add(ms: number): void {
    this.#histogram.record(Math.min(Math.max(Math.round(ms * US_PER_MS), 1), LONGEST_US));
  }

  /** In milliseconds; `undefined` where nothing was timed. */
  percentile(percent: number): number | undefined {
    return this.#histogram.count === 0 ? undefined : this.#histogram.percentile(percent) / US_PER_MS;
  }

  summary(): TimingSummary {
    const at = (percent: number): number | null => this.percentile(percent) ?? null;
    return {
      count: this.#histogram.count,
      p50: at(50),
      p95: at(95),
      p99: at(99),
      max: at(100),
    };
  }
}

import type { Metric, Registry } from 'prom-client';

interface Timing {
  /** How many were within each bound and over the one before; the last ones were over all. */
  readonly counts: number[];
  sum: number;
}

interface TimingsOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  readonly label: string;
}

/**
 * A histogram with one label, for what happens with each message: that of prom-client makes a text of the labels each
 * time, which takes a tenth of what the message does (docs/decisions/0012-metrics.md).
 */
export class Timings {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly labelNames: readonly string[];
  readonly #buckets: readonly number[];
  readonly #timings = new Map<string, Timing>();
  /** Messages of one event often follow each other. */
  #latest?: { readonly label: string; readonly timing: Timing };

  constructor({ name, help, buckets, label }: TimingsOptions, registry: Registry) {
    this.name = name;
    this.help = help;
    this.labelNames = [label];
    this.#buckets = buckets;
    // A registry asks for no more than what there is here.
    registry.registerMetric(this as unknown as Metric);
  }

  observe(label: string, value: number): void {
    const latest = this.#latest;
    const timing = latest?.label === label ? latest.timing : this.#timingOf(label);
    const buckets = this.#buckets;
    let at = 0;
    while (at < buckets.length && value > (buckets[at] as number)) at++;
    (timing.counts[at] as number)++;
    timing.sum += value;
  }

  /** What a registry serves. */
  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#timings].flatMap(([label, timing]) => this.#valuesOf(label, timing));
    return { name, help, type, aggregator, values };
  }

  reset(): void {
    this.#timings.clear();
    this.#latest = undefined;
  }

  #timingOf(label: string): Timing {
    let timing = this.#timings.get(label);
    if (!timing) {
      timing = { counts: Array.from({ length: this.#buckets.length + 1 }, () => 0), sum: 0 };
      this.#timings.set(label, timing);
    }
    this.#latest = { label, timing };
    return timing;
  }

  #valuesOf(label: string, { counts, sum }: Timing): object[] {
    const [labelName = ''] = this.labelNames;
    const labels = { [labelName]: label };
    let total = 0;
    const buckets = [...this.#buckets, '+Inf'].map((le, at) => {
      total += counts[at] as number;
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}

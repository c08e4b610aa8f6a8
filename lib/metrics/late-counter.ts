import { Counter, type Registry } from 'prom-client';

interface LateCounterOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly [Label, Label?];
}

/**
 * A counter with one label or two that is told when somebody asks for it, for what happens with each message: that of
 * prom-client makes a text of the labels each time (docs/decisions/0012-metrics.md).
 */
export class LateCounter<Label extends string> {
  /** Since somebody has asked. */
  readonly #counts = new Map<string, Map<string, number>>();

  constructor({ name, help, labelNames }: LateCounterOptions<Label>, registry: Registry) {
    const counts = this.#counts;
    const [first, second] = labelNames;
    const names = second === undefined ? [first] : [first, second];
    void new Counter({
      name,
      help,
      labelNames: names,
      registers: [registry],
      collect() {
        for (const [one, others] of counts)
          for (const [other, count] of others) {
            const labels = names.map((label, at) => [label, at === 0 ? one : other]);
            this.inc(Object.fromEntries(labels) as Partial<Record<Label, string>>, count);
          }
        counts.clear();
      },
    });
  }

  /** @param other - the second label, where there are two */
  inc(one: string, other = '', count = 1): void {
    let others = this.#counts.get(one);
    if (!others) this.#counts.set(one, (others = new Map()));
    others.set(other, (others.get(other) ?? 0) + count);
  }
}

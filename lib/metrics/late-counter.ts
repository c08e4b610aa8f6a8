import { Counter, type Registry } from 'prom-client';

interface LateCounterOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly [Label, Label?];
}

/** How often it was, since somebody has asked. */
interface Count {
  readonly one: string;
  readonly other: string;
  count: number;
}

/**
 * A counter with one label or two that is told when somebody asks for it, for what happens with each message: that of
 * prom-client makes a text of the labels each time (docs/decisions/0012-metrics.md).
 */
export class LateCounter<Label extends string> {
  /** By the first label and the second. */
  readonly #counts = new Map<string, Map<string, Count>>();
  /** What happens often happens again. */
  #latest?: Count;

  constructor({ name, help, labelNames }: LateCounterOptions<Label>, registry: Registry) {
    const [first, second] = labelNames;
    const take = (): Count[] => this.#take();
    const counter = new Counter({
      name,
      help,
      labelNames: second === undefined ? [first] : [first, second],
      registers: [registry],
      collect() {
        for (const { one, other, count } of take()) {
          const labels = second === undefined ? { [first]: one } : { [first]: one, [second]: other };
          this.inc(labels as Partial<Record<Label, string>>, count);
        }
      },
    });
    const reset = counter.reset.bind(counter);
    counter.reset = (): void => {
      this.#take();
      reset();
    };
  }

  /** @param other - the second label, where there are two */
  inc(one: string, other = '', by = 1): void {
    let count = this.#latest;
    if (count === undefined || count.one !== one || count.other !== other) {
      count = this.#countOf(one, other);
      this.#latest = count;
    }
    count.count += by;
  }

  #countOf(one: string, other: string): Count {
    let others = this.#counts.get(one);
    if (!others) this.#counts.set(one, (others = new Map()));
    let count = others.get(other);
    if (!count) others.set(other, (count = { one, other, count: 0 }));
    return count;
  }

  #take(): Count[] {
    const counts = [...this.#counts.values()].flatMap((others) => Array.from(others.values()));
    this.#counts.clear();
    this.#latest = undefined;
    return counts;
  }
}

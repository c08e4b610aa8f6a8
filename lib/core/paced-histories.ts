import type { Broker, HistoryPage, HistoryQuery, HistoryRule, Position } from './broker.interface.js';

/** What of a broker tells about histories. */
export type Histories = Pick<Broker, 'position' | 'history'>;

/**
 * Questions that a node has under way at a time. A broker bounds what waits for it, and all clients of a node
 * that has died may come back at once; what is under way is in memory, too.
 */
const MAX_UNDER_WAY = 256;

/** The histories of a broker, asked for in the order of the questions, and not for all of them at once. */
export class PacedHistories implements Histories {
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #underWay = 0;

  constructor(private readonly broker: Histories) {}

  position(channel: string, rule: HistoryRule): Promise<Position> | Position {
    return this.#ask(() => this.broker.position(channel, rule));
  }

  history(channel: string, rule: HistoryRule, query: HistoryQuery): Promise<HistoryPage> | HistoryPage {
    return this.#ask(() => this.broker.history(channel, rule, query));
  }

  #ask<T>(question: () => Promise<T> | T): Promise<T> | T {
    if (this.#underWay >= MAX_UNDER_WAY) return this.#askLater(question);
    const answer = question();
    if (!(answer instanceof Promise)) return answer;
    this.#underWay++;
    return answer.finally(() => this.#answered());
  }

  async #askLater<T>(question: () => Promise<T> | T): Promise<T> {
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
    try {
      return await question();
    } finally {
      this.#answered();
    }
  }

  /** The place of a question that is answered goes to the one that has waited for the longest time. */
  #answered(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#underWay--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

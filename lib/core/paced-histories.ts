import type { Alarms } from './alarms.js';
import type { Broker, HistoryPage, HistoryQuery, HistoryRule, Position } from './broker.interface.js';
import type { Expirable } from './deadlines.js';

/** What of a broker tells about histories. */
export type Histories = Pick<Broker, 'position' | 'history'>;

/**
 * Questions that have a place at a time. A broker bounds what waits for it, and all clients of a node
 * that has died may come back at once; what is under way is in memory, too.
 */
const MAX_UNDER_WAY = 256;

/**
 * For how long a question keeps its place, answered or not. A part of the broker that is frozen would otherwise hold
 * all of them, and those who ask the healthy parts would wait for it. What has no answer then is the broker's to bound.
 */
const PLACE_MS = 250;

/** The histories of a broker, asked for in the order of the questions, and not for all of them at once. */
export class PacedHistories implements Histories {
  /** In the order in which they came. Empty while there is a place. */
  readonly #waiting = new Set<() => void>();
  readonly #places = new Set<Expirable>();

  constructor(
    private readonly broker: Histories,
    private readonly alarms: Alarms,
  ) {}

  /** Questions that are under way or wait for it. */
  get size(): number {
    return this.#places.size + this.#waiting.size;
  }

  position(channel: string, rule: HistoryRule): Promise<Position> | Position {
    return this.#ask(() => this.broker.position(channel, rule));
  }

  history(channel: string, rule: HistoryRule, query: HistoryQuery): Promise<HistoryPage> | HistoryPage {
    return this.#ask(() => this.broker.history(channel, rule, query));
  }

  #ask<T>(question: () => Promise<T> | T): Promise<T> | T {
    return this.#isFull ? this.#askLater(question) : this.#askNow(question);
  }

  get #isFull(): boolean {
    return this.#places.size >= MAX_UNDER_WAY;
  }

  #askNow<T>(question: () => Promise<T> | T): Promise<T> | T {
    const answer = question();
    if (!(answer instanceof Promise)) return answer;
    const place: Expirable = { expiresAt: 0, expire: () => this.#giveBack(place) };
    this.#places.add(place);
    this.alarms.add(place, PLACE_MS);
    return answer.finally(() => {
      this.alarms.delete(place, PLACE_MS);
      this.#giveBack(place);
    });
  }

  #askLater<T>(question: () => Promise<T> | T): Promise<T> {
    const ask = async (): Promise<T> => this.#askNow(question);
    return new Promise<T>((resolve) => this.#waiting.add(() => resolve(ask())));
  }

  /** It goes to the question that has waited for the longest time. */
  #giveBack(place: Expirable): void {
    if (!this.#places.delete(place)) return;
    for (const ask of this.#waiting) {
      if (this.#isFull) return;
      this.#waiting.delete(ask);
      ask();
    }
  }
}

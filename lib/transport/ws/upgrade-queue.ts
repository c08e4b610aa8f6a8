import type { Clock } from '../../core/clock.interface.js';

/** Upgrades that are answered in one turn of the event loop: some milliseconds, for which everybody else waits. */
export const MAX_UPGRADES_PER_TURN = 5;

/** Lets a few upgrades be answered in each turn, so that a crowd of them holds nobody up who is connected. */
export class UpgradeQueue {
  #waiting: (() => void)[] = [];
  #next = 0;
  /** Of this turn. */
  #answered = 0;

  constructor(private readonly clock: Pick<Clock, 'afterTurn'>) {}

  /** Upgrades that wait for a turn. */
  get size(): number {
    return this.#waiting.length - this.#next;
  }

  /** Answers one, now or in a later turn, behind those that came before it. */
  add(answer: () => void): void {
    if (this.#answered === 0) this.clock.afterTurn(this.#turn);
    if (this.#answered < MAX_UPGRADES_PER_TURN && this.size === 0) {
      this.#answered++;
      answer();
    } else {
      this.#waiting.push(answer);
    }
  }

  readonly #turn = (): void => {
    this.#answered = 0;
    while (this.#answered < MAX_UPGRADES_PER_TURN && this.size > 0) {
      const answer = this.#waiting[this.#next++] as () => void;
      this.#answered++;
      answer();
    }
    if (this.size === 0) {
      this.#waiting = [];
      this.#next = 0;
    }
    if (this.#answered > 0) this.clock.afterTurn(this.#turn);
  };
}

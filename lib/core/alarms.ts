import type { Clock, Timer } from './clock.interface.js';
import { Deadlines, type Expirable } from './deadlines.js';

/**
 * Everything that waits for as long as the application has said. One timer serves all of it; what
 * waits equally long stands in one line, whose order is the order of expiry.
 */
export class Alarms {
  /** By their length, in milliseconds. None of them is empty. */
  readonly #lines = new Map<number, Deadlines>();
  #timer?: Timer;
  #ringsAt = Infinity;

  constructor(private readonly clock: Clock) {}

  /** All that wait. */
  get size(): number {
    let size = 0;
    for (const line of this.#lines.values()) size += line.size;
    return size;
  }

  add(expirable: Expirable, ms: number): void {
    let line = this.#lines.get(ms);
    if (!line) {
      line = new Deadlines(this.clock, ms);
      this.#lines.set(ms, line);
    }
    line.add(expirable);
    if (expirable.expiresAt < this.#ringsAt) this.#ringAt(expirable.expiresAt);
  }

  /** @param ms - as it was added with */
  delete(expirable: Expirable, ms: number): void {
    this.#lines.get(ms)?.delete(expirable);
    this.#dropEmpty(ms);
    // While others wait the timer stays: it rings in vain once, which is cheaper than to set it anew each time.
    if (this.#lines.size === 0) this.#silence();
  }

  #ringAt(at: number): void {
    this.#silence();
    this.#ringsAt = at;
    this.#timer = this.clock.setTimeout(() => this.#ring(), at - this.clock.now());
  }

  #silence(): void {
    if (this.#timer) this.clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#ringsAt = Infinity;
  }

  #ring(): void {
    this.#silence();
    const now = this.clock.now();
    let nextAt = Infinity;
    for (const [ms, line] of this.#lines) {
      line.sweep(now);
      this.#dropEmpty(ms);
      nextAt = Math.min(nextAt, line.nextAt ?? Infinity);
    }
    // What expired may have added something that is due earlier.
    if (nextAt < this.#ringsAt) this.#ringAt(nextAt);
  }

  #dropEmpty(ms: number): void {
    // Not by its first one: to find it takes a walk over the places of all that are gone, at each answer.
    if (this.#lines.get(ms)?.size === 0) this.#lines.delete(ms);
  }
}

import type { Clock, Timer } from '../core/clock.interface.js';

/** How often it is looked: far apart enough to cost nothing, and close enough that no long delay falls between. */
const SAMPLE_MS = 200;

/** Ten seconds of them: kubelet asks every ten seconds unless told otherwise, and sees each delay once. */
const SAMPLES = 50;

/** How late the event loop runs what is due: the worst of the last ten seconds in which it was in time. */
export class LoopDelay {
  readonly #delays = Array.from({ length: SAMPLES }, () => 0);
  #next = 0;
  #dueAt = 0;
  #timer?: Timer;

  constructor(private readonly clock: Clock) {}

  /** Whole milliseconds; 0 before {@link start}. */
  get ms(): number {
    // What is overdue now counts as well: who asks may come before the timer does.
    const overdue = this.#timer ? this.clock.now() - this.#dueAt : 0;
    return Math.round(Math.max(overdue, ...this.#delays));
  }

  start(): void {
    this.#dueAt = this.clock.now() + SAMPLE_MS;
    this.#timer ??= this.clock.setInterval(() => this.#sample(), SAMPLE_MS);
  }

  close(): void {
    if (this.#timer) this.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #sample(): void {
    const now = this.clock.now();
    this.#delays[this.#next] = now - this.#dueAt;
    this.#next = (this.#next + 1) % SAMPLES;
    this.#dueAt = now + SAMPLE_MS;
  }
}

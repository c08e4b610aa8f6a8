import { TestClock } from 'nestjs-channels/testing';

/** Time that can pass without a timer being run, as it does while something holds the event loop. */
export class LateClock extends TestClock {
  #heldMs = 0;

  override now(): number {
    return super.now() + this.#heldMs;
  }

  /** Something holds the event loop for so long. */
  hold(ms: number): void {
    this.#heldMs += ms;
  }
}

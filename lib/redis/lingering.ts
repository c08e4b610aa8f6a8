import type { Clock } from '../core/clock.interface.js';

/** Channels that nobody is in any more, and that are left a while later. */
export class Lingering {
  /** In the order in which they are left. */
  readonly #leaveAt = new Map<string, number>();
  #clock?: Clock;

  constructor(
    private readonly lingerMs: number,
    private readonly leave: (channel: string) => void,
  ) {}

  start(clock: Clock): void {
    this.#clock = clock;
  }

  add(channel: string): void {
    if (this.#clock) this.#leaveAt.set(channel, this.#clock.now() + this.lingerMs);
  }

  /** @returns whether it was lingering: then it was not left */
  delete(channel: string): boolean {
    return this.#leaveAt.delete(channel);
  }

  sweep(now: number): void {
    for (const [channel, at] of this.#leaveAt) {
      if (at > now) return;
      this.#leaveAt.delete(channel);
      this.leave(channel);
    }
  }
}

import type { ClientClock } from '../../lib/client/clock.interface.js';

/** Time for a thousand clients: all timers of one millisecond fire together, then promises move on. */
export class StormClock implements ClientClock {
  readonly #slots = new Map<number, Map<object, () => void>>();
  readonly #slotOf = new Map<object, number>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): object {
    const timer = {};
    const at = Math.ceil(this.#now + Math.max(ms, 1));
    const slot = this.#slots.get(at) ?? new Map<object, () => void>();
    this.#slots.set(at, slot.set(timer, callback));
    this.#slotOf.set(timer, at);
    return timer;
  }

  clearTimer(timer: unknown): void {
    const at = this.#slotOf.get(timer as object);
    if (at === undefined) return;
    this.#slots.get(at)?.delete(timer as object);
    this.#slotOf.delete(timer as object);
  }

  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await turn();
    while (this.#now < target) {
      this.#now++;
      const slot = this.#slots.get(this.#now);
      if (!slot) continue;
      this.#slots.delete(this.#now);
      for (const [timer, callback] of slot) {
        this.#slotOf.delete(timer);
        callback();
      }
      await turn();
    }
  }
}

async function turn(): Promise<void> {
  for (let at = 0; at < 8; at++) await Promise.resolve();
}

import { ChannelsError } from '../core/errors.js';
import type { Clock, Timer } from '../core/clock.interface.js';
import type { Random } from '../core/random.interface.js';

/** How often it is looked for claims whose end nobody has told: a message of Redis can be lost. */
const LOOK_INTERVAL_MS = 2_000;

/** How exact a look is. */
const SWEEP_INTERVAL_MS = 250;

/** What {@link DedupWaits} needs. */
export interface DedupWaitsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly max: number;
  /** Calls back when the claim has ended. Rejects where Redis cannot be heard now; then it counts from later on. */
  readonly listen: (name: string, ended: () => void) => Promise<void>;
  readonly unlisten: (name: string) => void;
  /** For how many milliseconds the claim holds if nobody renews it; 0 where none runs. */
  readonly look: (name: string) => Promise<number>;
}

/** A claim whose end somebody on this node waits for. */
interface Awaited {
  readonly name: string;
  readonly ends: Set<() => void>;
  /** `Infinity` while it is being looked at. */
  lookAt: number;
}

/**
 * Those who wait on this node for the end of claims. A message wakes them; where it does not come they look, now and
 * then and when the lease is over. However many wait for a claim, they listen and look once.
 */
export class DedupWaits {
  readonly #awaited = new Map<string, Awaited>();
  #size = 0;
  #sweeper?: Timer;

  constructor(private readonly parts: DedupWaitsParts) {}

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** @throws ChannelsError `unavailable` where too many wait */
  wait(name: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const { max } = this.parts;
    if (this.#size >= max) {
      const text = `${max} copies wait for the one that runs: maxWaitingCopies bounds them`;
      return Promise.reject(new ChannelsError('unavailable', text));
    }
    return new Promise((resolve) => {
      const awaited = this.#awaited.get(name) ?? this.#begin(name);
      const end = (): void => {
        if (!awaited.ends.delete(end)) return;
        this.#size--;
        signal.removeEventListener('abort', end);
        if (awaited.ends.size === 0) this.#finish(awaited);
        resolve();
      };
      awaited.ends.add(end);
      this.#size++;
      signal.addEventListener('abort', end);
    });
  }

  /** Messages may have been lost. */
  lookSoon(): void {
    const { clock, random } = this.parts;
    const now = clock.now();
    for (const awaited of this.#awaited.values()) {
      if (awaited.lookAt !== Infinity) awaited.lookAt = now + random.next() * SWEEP_INTERVAL_MS;
    }
  }

  /** Wakes everybody. */
  close(): void {
    for (const awaited of this.#awaited.values()) wake(awaited);
  }

  #begin(name: string): Awaited {
    // On a connection that is silent, listening is neither confirmed nor refused.
    const lookAt = this.parts.clock.now() + LOOK_INTERVAL_MS;
    const awaited: Awaited = { name, ends: new Set(), lookAt };
    this.#awaited.set(name, awaited);
    this.#sweeper ??= this.parts.clock.setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    // It may have ended before it was listened for, so there is a look in any case.
    const look = (): void => void this.#look(awaited);
    this.parts.listen(name, () => wake(awaited)).then(look, look);
    return awaited;
  }

  #finish({ name }: Awaited): void {
    this.#awaited.delete(name);
    this.parts.unlisten(name);
    if (this.#awaited.size > 0 || !this.#sweeper) return;
    this.parts.clock.clearTimer(this.#sweeper);
    this.#sweeper = undefined;
  }

  #sweep(): void {
    const now = this.parts.clock.now();
    for (const awaited of this.#awaited.values()) if (awaited.lookAt <= now) void this.#look(awaited);
  }

  async #look(awaited: Awaited): Promise<void> {
    // Nobody waits any more.
    if (awaited.ends.size === 0) return;
    const { clock, random, look } = this.parts;
    awaited.lookAt = Infinity;
    let leftMs = LOOK_INTERVAL_MS;
    try {
      leftMs = await look(awaited.name);
    } catch {
      // Redis is away, which the link tells. Those who wait do it until their time is over.
    }
    if (leftMs === 0) wake(awaited);
    awaited.lookAt = clock.now() + Math.min(leftMs, LOOK_INTERVAL_MS * (0.5 + random.next() / 2));
  }
}

function wake({ ends }: Awaited): void {
  for (const end of [...ends]) end();
}

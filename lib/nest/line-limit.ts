import type { Clock } from '../core/clock.interface.js';

/** What goes on is told again after so many milliseconds, */
const FIRST_PAUSE_MS = 1_000;

/** and then after twice as many each time, up to so many. */
const MAX_PAUSE_MS = 60_000;

/** Reasons of one kind that have lines of their own at a time; peers may have any number of them. */
const MAX_REASONS = 8;

/** What is told of a kind whose reasons are too many. */
export const OTHERS = 'others';

interface Told {
  at: number;
  pauseMs: number;
  untold: number;
}

/**
 * Lines of a log for what peers can cause as often as they like: one for each reason and second at most, and
 * fewer while it goes on. What is left out is counted, and told by {@link sweep}.
 */
export class LineLimit {
  readonly #reasons = new Map<string, Told>();

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly rest: (reason: string, count: number) => void,
  ) {}

  /** Whether a line may be written for it; counts it where not. Where too many reasons came before it, it shares. */
  admits(reason: string, count = 1): boolean {
    const own = this.#reasons.get(reason);
    const key = own || this.#reasons.size < MAX_REASONS ? reason : OTHERS;
    const told = own ?? this.#reasons.get(key);
    if (!told) {
      this.#reasons.set(key, { at: this.clock.now(), pauseMs: FIRST_PAUSE_MS, untold: 0 });
      return true;
    }
    told.untold += count;
    return false;
  }

  /** Tells how many were left out, where it is time, and forgets what has not come again. */
  sweep(): void {
    if (this.#reasons.size === 0) return;
    const now = this.clock.now();
    for (const [reason, told] of this.#reasons) {
      if (now - told.at < told.pauseMs) continue;
      if (told.untold === 0) {
        this.#reasons.delete(reason);
        continue;
      }
      this.#tell(reason, told);
      told.at = now;
      told.pauseMs = Math.min(told.pauseMs * 2, MAX_PAUSE_MS);
    }
  }

  /** Tells at once what was left out: nobody sweeps any more. */
  end(): void {
    for (const [reason, told] of this.#reasons) if (told.untold > 0) this.#tell(reason, told);
    this.#reasons.clear();
  }

  #tell(reason: string, told: Told): void {
    this.rest(reason, told.untold);
    told.untold = 0;
  }
}

import type { Clock } from '../core/clock.interface.js';

/** What goes on is told again after so many milliseconds, */
const FIRST_PAUSE_MS = 1_000;

/** and then after twice as many each time, up to so many. */
const MAX_PAUSE_MS = 60_000;

/** How much is written before the rest is counted. */
export interface LineLimitOptions {
  /** Lines of one reason within a second; `Infinity` for all of them. */
  readonly linesPerSecond: number;
  /** Reasons that have lines of their own at a time; the others share theirs. Peers may make up any number of them. */
  readonly maxReasons: number;
}

interface Told<Topic> {
  readonly topic: Topic | undefined;
  at: number;
  pauseMs: number;
  written: number;
  untold: number;
}

/** What those share that come when there are too many reasons already. */
const OTHERS = Symbol('others');

/**
 * Lines of a log for what peers can cause as often as they like: so many for each reason and second at most, and
 * fewer while it goes on. What is left out is counted, and told by {@link sweep}, with the topic that it came with
 * first; `undefined` for reasons that share their lines.
 */
export class LineLimit<Topic> {
  readonly #reasons = new Map<string | typeof OTHERS, Told<Topic>>();

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly options: LineLimitOptions,
    private readonly rest: (topic: Topic | undefined, count: number) => void,
  ) {}

  /** Whether a line may be written for it; counts it where not. */
  admits(reason: string, topic: Topic, count = 1): boolean {
    const told = this.#reasons.get(reason) ?? this.#begin(reason, topic);
    if (told.written < this.options.linesPerSecond) {
      told.written += 1;
      return true;
    }
    told.untold += count;
    return false;
  }

  /** Tells how many were left out, where it is time, and forgets what comes no more often than it may. */
  sweep(): void {
    if (this.#reasons.size === 0) return;
    const now = this.clock.now();
    for (const [reason, told] of this.#reasons) {
      if (now - told.at < told.pauseMs) continue;
      const hasCalmedDown = told.untold < (this.options.linesPerSecond * told.pauseMs) / 1_000;
      if (told.untold > 0) this.#tell(told);
      if (hasCalmedDown) {
        this.#reasons.delete(reason);
        continue;
      }
      told.at = now;
      told.pauseMs = Math.min(told.pauseMs * 2, MAX_PAUSE_MS);
    }
  }

  /** Tells at once what was left out: nobody sweeps any more. */
  end(): void {
    for (const told of this.#reasons.values()) if (told.untold > 0) this.#tell(told);
    this.#reasons.clear();
  }

  #begin(reason: string, topic: Topic): Told<Topic> {
    const isOwn = this.#reasons.size < this.options.maxReasons;
    const shared = isOwn ? undefined : this.#reasons.get(OTHERS);
    if (shared) return shared;
    const at = this.clock.now();
    const told = { topic: isOwn ? topic : undefined, at, pauseMs: FIRST_PAUSE_MS, written: 0, untold: 0 };
    this.#reasons.set(isOwn ? reason : OTHERS, told);
    return told;
  }

  #tell(told: Told<Topic>): void {
    this.rest(told.topic, told.untold);
    told.untold = 0;
  }
}

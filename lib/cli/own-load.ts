import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How often the event loop is looked at, in milliseconds; what it was late by is beyond it. */
const RESOLUTION_MS = 10;

const NS_PER_MS = 1_000_000;
const US_PER_MS = 1_000;

/** What this process itself was busy with. */
export interface OwnLoadSummary {
  /** By how much the event loop was late, 99 % of the time. */
  readonly eventLoopDelayP99Ms: number;
  /** Of one core. */
  readonly cpuPercent: number;
}

/** Looks at this process while it loads another one: where it is the slower one, it has measured itself. */
export class OwnLoad {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #startedAt = performance.now();
  readonly #cpu = process.cpuUsage();

  /** Looks from now on. */
  constructor() {
    this.#delays.enable();
  }

  stop(): OwnLoadSummary {
    this.#delays.disable();
    const { user, system } = process.cpuUsage(this.#cpu);
    const elapsedMs = Math.max(performance.now() - this.#startedAt, 1);
    const delayMs = this.#delays.count === 0 ? 0 : this.#delays.percentile(99) / NS_PER_MS - RESOLUTION_MS;
    return {
      eventLoopDelayP99Ms: Math.max(Math.round(delayMs * 10) / 10, 0),
      cpuPercent: Math.round(((user + system) / US_PER_MS / elapsedMs) * 100),
    };
  }
}

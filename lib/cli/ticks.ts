import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a run looks what is due, in milliseconds. */
const TICK_MS = 10;

/**
 * Calls `step` with the time since the first call, until it says that it is done, or the signal aborts.
 *
 * @returns how long it has taken, in milliseconds
 */
export async function tickUntil(step: (elapsedMs: number) => boolean, signal?: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const elapsedMs = performance.now() - startedAt;
    if (signal?.aborted || step(elapsedMs)) return elapsedMs;
    // oxlint-disable-next-line no-await-in-loop -- one tick behind the other
    await sleep(TICK_MS);
  }
}

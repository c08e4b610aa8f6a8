import type { ResolvedOptions } from './options.js';

/** The longest pause between two looks at all connections. */
const MAX_TICK_MS = 1_000;

/** Short times, as tests have them, are looked at ten times each. */
export function tickOf(options: ResolvedOptions): number {
  const { heartbeatIntervalMs, heartbeatTimeoutMs, idleTimeoutMs, handlerTimeoutMs } = options;
  const { dedupWindowMs, positionCheckMs } = options;
  const times = [
    ...[heartbeatIntervalMs, heartbeatTimeoutMs, idleTimeoutMs, handlerTimeoutMs],
    ...[dedupWindowMs, positionCheckMs],
  ];
  const shortest = Math.min(...times.filter((ms) => ms > 0));
  return Math.max(1, Math.min(MAX_TICK_MS, Math.floor(shortest / 10)));
}

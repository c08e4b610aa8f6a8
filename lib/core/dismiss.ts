import { REFUSED_CLOSE_TIMEOUT_MS, type CloseCodeEntry } from '../protocol/index.js';
import type { Clock } from './clock.interface.js';
import type { Connection } from './connection.js';

/** Says good-bye to peers that must be gone soon, whether they answer or not. One timer serves them all. */
export function dismiss(
  connections: readonly Connection[],
  clock: Pick<Clock, 'setTimeout'>,
  { code, reason }: CloseCodeEntry,
  graceMs = REFUSED_CLOSE_TIMEOUT_MS,
): void {
  if (connections.length === 0) return;
  for (const connection of connections) connection.close(code, reason);
  clock.setTimeout(() => {
    for (const connection of connections) connection.terminate(code, reason);
  }, graceMs);
}

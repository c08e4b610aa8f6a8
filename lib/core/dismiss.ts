import { REFUSED_CLOSE_TIMEOUT_MS } from '../protocol/index.js';
import type { Connection } from './connection.js';

/** Says good-bye to a peer that must be gone soon, whether it answers or not. */
export function dismiss(connection: Connection, code: number, reason: string): void {
  connection.close(code, reason);
  connection.clock.setTimeout(() => connection.terminate(code, reason), REFUSED_CLOSE_TIMEOUT_MS);
}

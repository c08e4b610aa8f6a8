import type { Welcome } from '../protocol/index.js';
import { isRecord } from './server-frame.js';

/** What `$hello` was acked with; what is missing has the value that limits and watches nothing. */
export function parseWelcome(data: unknown): Welcome | undefined {
  if (!isRecord(data)) return undefined;
  const { connectionId, principal } = data;
  if (typeof connectionId !== 'string' || typeof principal !== 'string') return undefined;
  const heartbeat = isRecord(data['heartbeat']) ? data['heartbeat'] : {};
  return {
    connectionId,
    principal,
    heartbeat: {
      intervalMs: asNumber(heartbeat['intervalMs']),
      clientTimeoutMs: asNumber(heartbeat['clientTimeoutMs']),
    },
    limits: isRecord(data['limits']) ? (data['limits'] as Record<string, number>) : {},
  };
}

function asNumber(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}

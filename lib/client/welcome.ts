import type { Welcome } from '../protocol/index.js';
import { isRecord } from './server-frame.js';

/** What `$hello` was acked with. A limit that is missing limits nothing, a time that is missing is off. */
export function parseWelcome(data: unknown): Welcome | undefined {
  if (!isRecord(data)) return undefined;
  const { heartbeat, limits } = data as Partial<Welcome>;
  return { principal: '', ...data, heartbeat: { ...heartbeat }, limits: { ...limits } } as Welcome;
}

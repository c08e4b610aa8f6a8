import { Rig, type Peer, type RigOptions } from './engine-rig.js';

const MAX_TICK_MS = 1_000;

/** A connection with a note of when it was reaped. */
export interface Watched extends Peer {
  readonly rig: Rig;
  /** `Infinity` while it lives. */
  readonly reapedAt: () => number;
}

export async function watch(options: RigOptions): Promise<Watched> {
  const rig = await Rig.start(options);
  const peer = rig.open();
  let reapedAt = Number.POSITIVE_INFINITY;
  peer.transport.onDestroy = () => {
    reapedAt = Math.min(reapedAt, rig.clock.now());
  };
  return { ...peer, rig, reapedAt: () => reapedAt };
}

/** The most that reaping may take beyond the timeout: 10 %, and one tick. */
export function tolerance(timeoutMs: number): number {
  return 0.1 * timeoutMs + Math.min(MAX_TICK_MS, Math.max(1, 0.1 * timeoutMs));
}

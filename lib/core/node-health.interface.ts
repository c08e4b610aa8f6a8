import type { BrokerState } from './broker.interface.js';

/**
 * How far a node is. `starting`: its broker and its stores may not be there yet. `up`: it takes peers on. `draining`:
 * it goes away, and takes nothing new on. `stopped`: every connection has ended.
 */
export type NodeState = 'starting' | 'up' | 'draining' | 'stopped';

/** How a node is now, for whoever decides whether it gets peers, or has to go. */
export interface NodeHealth {
  readonly state: NodeState;
  /** Always `ready` without other nodes. `deaf` is what a probe finds that does not come back. */
  readonly broker: BrokerState;
  /** Why the broker is not `ready`, for an operator; empty while it is. */
  readonly brokerTrouble: string;
  /** Open, or on their way to it or from it. */
  readonly connections: number;
}

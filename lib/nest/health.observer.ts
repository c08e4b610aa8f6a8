import { Injectable } from '@nestjs/common';
import type { BrokerState } from '../core/broker.interface.js';
import type { NodeHealth, NodeState } from '../core/node-health.interface.js';
import type { Observer } from '../core/observer.interface.js';

/** Remembers what a node has told of itself, for those who ask at times of their own. */
@Injectable()
export class HealthObserver implements Observer {
  #stage: Exclude<NodeState, 'draining'> = 'starting';
  #broker: BrokerState = 'ready';
  #brokerTrouble = '';

  started(): void {
    this.#stage = 'up';
  }

  brokerChanged(state: BrokerState, reason: string): void {
    this.#broker = state;
    this.#brokerTrouble = state === 'ready' ? '' : reason;
  }

  stopped(): void {
    this.#stage = 'stopped';
  }

  /** The same with what the engine knows at any time. */
  healthOf(engine: {
    readonly draining: boolean;
    readonly connections: { readonly size: number };
  }): NodeHealth {
    return {
      state: this.#stage === 'up' && engine.draining ? 'draining' : this.#stage,
      broker: this.#broker,
      brokerTrouble: this.#brokerTrouble,
      connections: engine.connections.size,
    };
  }
}

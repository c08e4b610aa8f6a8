import type { Engine } from './engine.js';
import type { ObservedNode } from './observer.interface.js';

/** What observers see of a node. */
export function observedNode(engine: Engine): ObservedNode {
  return {
    id: engine.control.nodes.id,
    get connections() {
      return engine.connections.values();
    },
    sizes: () => engine.sizes(),
    patternOf: (channel) => engine.catalog.patternOf(channel),
  };
}

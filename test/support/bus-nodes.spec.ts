import { nodesContract } from '../contract/nodes.contract.js';
import { NodesBus, type BusNodes } from './bus-nodes.js';

// Tests rely on it, and it shows that the contract can be kept by nodes that take their time.
nodesContract('BusNodes', {
  create: () => {
    const bus = new NodesBus();
    let killed: BusNodes | undefined;
    return {
      nodes: [bus.node(), bus.node(), bus.node()],
      kill: (node) => {
        killed = node as BusNodes;
        killed.isFrozen = true;
      },
      forgotten: async () => killed?.close(),
    };
  },
});

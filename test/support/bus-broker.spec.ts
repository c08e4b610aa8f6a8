import { brokerContract } from '../contract/broker.contract.js';
import { Bus } from './bus-broker.js';

// Tests rely on it, and it shows that the contract can be kept by a broker that takes its time.
brokerContract('BusBroker', {
  nodes: 2,
  create: () => {
    const bus = new Bus();
    return { nodes: [bus.node(), bus.node()], pass: (ms) => void (bus.now += ms) };
  },
});

import { brokerContract } from '../contract/broker.contract.js';
import { memoryBroker } from './engine-rig.js';

brokerContract('MemoryBroker', { nodes: 1, create: () => [memoryBroker()] });

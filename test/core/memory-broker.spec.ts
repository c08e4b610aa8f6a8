import { MemoryBroker } from 'nestjs-channels';
import { brokerContract } from '../contract/broker.contract.js';

brokerContract('MemoryBroker', { nodes: 1, create: () => [new MemoryBroker()] });

import { channelRegistryContract } from '../contract/channel-registry.contract.js';
import { RegistryBus } from './bus-registry.js';

channelRegistryContract('BusRegistry', {
  create: () => {
    const bus = new RegistryBus();
    return {
      registries: [bus.registry(), bus.registry(), bus.registry()],
      forgotten: () => Promise.resolve(),
    };
  },
});

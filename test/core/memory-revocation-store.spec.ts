import { MemoryRevocationStore } from '../../lib/core/memory-revocation-store.js';
import { revocationStoreContract } from '../contract/revocation-store.contract.js';

revocationStoreContract('MemoryRevocationStore', {
  create: () => {
    const store = new MemoryRevocationStore();
    return { stores: [store, store], later: () => store, found: async () => undefined };
  },
});

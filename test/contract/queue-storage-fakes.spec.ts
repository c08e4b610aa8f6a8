import type { StoredQueue } from 'nestjs-channels/client';
import { LocalStorageQueue } from 'nestjs-channels/client/storage';
import { FakeBrowser } from '../client/fake-browser.js';
import { MemoryQueueStorage, MemorySlots } from '../client/memory-queue-storage.js';
import { queueStorageContract } from './queue-storage.contract.js';

queueStorageContract('in memory', async () => {
  const shared = new MemorySlots();
  return {
    openPage: async () => {
      const storage = new MemoryQueueStorage(shared);
      return { storage, end: async () => storage.end() };
    },
    pass: (ms) => (shared.now += ms),
  };
});

queueStorageContract('LocalStorageQueue in a page that is made up', async () => {
  const browser = new FakeBrowser();
  return {
    openPage: async () => {
      const { page, end } = browser.openPage();
      const storage = new LocalStorageQueue({ page });
      const open = async (failed: (cause: unknown) => void): Promise<StoredQueue> => {
        const [queue] = await Promise.all([storage.open(failed), browser.clock.advance(1_000)]);
        return queue;
      };
      return { storage: { open }, end: async () => end() };
    },
    pass: (ms) => (browser.wallMs += ms),
  };
});

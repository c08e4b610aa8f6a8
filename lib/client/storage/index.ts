export type { QueueStorage, StoredMessage, StoredQueue } from '../queue-storage.interface.js';
export { LocalStorageQueue, type LocalStorageQueueOptions } from './local-storage-queue.js';
export type { LocksLike, PageLike, StorageLike } from './page.interface.js';

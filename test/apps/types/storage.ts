import { ChannelsClient, type QueueStorage, type SettledMessage } from 'nestjs-channels/client';
import {
  LocalStorageQueue,
  type LocalStorageQueueOptions,
  type StoredMessage,
  type StoredQueue,
} from 'nestjs-channels/client/storage';

const settings: LocalStorageQueueOptions = { name: 'orders' };
const storage: QueueStorage = new LocalStorageQueue(settings);
const client = new ChannelsClient('wss://shop.example.com/ws', { storage });
// @ts-expect-error what a browser keeps is no queue
export const wrong = new ChannelsClient('wss://shop.example.com/ws', { storage: new Map() });

client.on('$settled', ({ id, event, error }: SettledMessage) => `${id} ${event} ${error?.code}`);

/** A storage of somebody's own, some of whose methods take their time. */
export class OwnQueue implements QueueStorage, StoredQueue {
  messages: readonly StoredMessage[] = [];

  async open(failed: (cause: unknown) => void): Promise<StoredQueue> {
    if (this.messages.length > 0) failed(new Error('damaged'));
    return this;
  }

  async save(message: StoredMessage): Promise<void> {
    this.messages = [...this.messages, message];
  }

  remove(id: string): void {
    this.messages = this.messages.filter((message) => message.id !== id);
  }

  close(): void {}
}

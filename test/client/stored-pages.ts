import type { ChannelsClientOptions, SettledMessage } from '../../lib/client/index.js';
import { ClientRig } from './client-rig.js';
import { MemoryQueueStorage, MemorySlots } from './memory-queue-storage.js';

/** One page after the other, over one storage. */
export class Pages {
  readonly slots = new MemorySlots();
  #opened = 0;

  /** A page whose client has not connected yet. */
  open(options: ChannelsClientOptions = {}): Page {
    const storage = new MemoryQueueStorage(this.slots);
    const rig = new ClientRig({ storage, ...options }, ++this.#opened);
    rig.server.limits['dedupWindowMs'] = 300_000;
    return new Page(rig, storage);
  }

  /** A page that has been welcomed. */
  async connected(options?: ChannelsClientOptions): Promise<Page> {
    const page = this.open(options);
    await page.rig.connect();
    return page;
  }
}

export class Page {
  readonly settled: SettledMessage[] = [];

  constructor(
    readonly rig: ClientRig,
    readonly storage: MemoryQueueStorage,
  ) {
    rig.client.on('$settled', (message) => this.settled.push(message));
  }

  get clientId(): unknown {
    return this.rig.server.peer.of('$hello')[0]?.data.clientId;
  }

  /** What it has sent, without the ids. */
  get sent(): string[] {
    return this.rig.server.messages.map(({ event }) => event);
  }

  /** The page is gone: nothing of it reaches the storage or the server any more. */
  async end(): Promise<void> {
    await this.rig.pass();
    this.storage.end();
    this.rig.client.close();
  }
}

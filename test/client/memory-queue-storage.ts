import type { QueueStorage, StoredMessage, StoredQueue } from '../../lib/client/index.js';

interface Slot {
  readonly records: Map<string, { readonly message: StoredMessage; readonly savedAt: number }>;
  holder: object | undefined;
}

/** What several pages share. */
export class MemorySlots {
  readonly slots: Slot[] = [];
  /** The clock on the wall. */
  now = 0;

  /** How many messages are kept. */
  get size(): number {
    return this.slots.reduce((sum, { records }) => sum + records.size, 0);
  }
}

/** The storage of one page: asynchronous, as one in IndexedDB would be. */
export class MemoryQueueStorage implements QueueStorage {
  readonly #holders: object[] = [];
  #isOver = false;

  constructor(private readonly shared: MemorySlots) {}

  async open(): Promise<StoredQueue> {
    await Promise.resolve();
    const { slots, now } = this.shared;
    const left = slots.find(({ holder, records }) => !holder && records.size > 0);
    const slot = left ?? { records: new Map(), holder: undefined };
    if (!left) slots.push(slot);
    const holder = {};
    this.#holders.push(holder);
    slot.holder = holder;
    const records = [...slot.records.values()];
    const isSetBack = records.some(({ savedAt }) => savedAt > now);
    const isMine = (): boolean => slot.holder === holder && !this.#isOver;
    return {
      messages: records.map(({ message: { sentAgoMs, leftMs, ...message }, savedAt }) => ({
        ...message,
        ...(sentAgoMs !== undefined && { sentAgoMs: isSetBack ? Infinity : sentAgoMs + now - savedAt }),
        ...(leftMs !== undefined && { leftMs: isSetBack ? leftMs : Math.max(leftMs - (now - savedAt), 0) }),
      })),
      save: async (message) => {
        if (isMine()) slot.records.set(message.id, { message, savedAt: this.shared.now });
      },
      remove: async (id) => {
        if (isMine()) slot.records.delete(id);
      },
      close: () => {
        if (isMine()) slot.holder = undefined;
      },
    };
  }

  /** Nothing of this page runs any more. */
  end(): void {
    this.#isOver = true;
    for (const slot of this.shared.slots) {
      if (slot.holder && this.#holders.includes(slot.holder)) slot.holder = undefined;
    }
  }
}

import type { EncodedFrame } from './encoded-frame.js';
import type { FlushQueue } from './flush-queue.js';
import type { Transport } from './transport.interface.js';

/** What {@link Outbox} needs of the connection that it belongs to. */
export interface OutboxOwner {
  readonly transport: Transport;
  readonly writable: boolean;
  readonly maxOutboxBytes: number;
  readonly flushQueue: FlushQueue;
  overflow(): void;
}

/**
 * Frames on their way to one peer. Collects what one turn of the event loop sends and writes it
 * once; bounds what waits for a peer that reads slower than it is written to.
 */
export class Outbox {
  #frames: EncodedFrame[] = [];
  #bytes = 0;

  constructor(private readonly owner: OutboxOwner) {}

  /** Sends a frame at the end of this turn. A connection that cannot be written to any more drops it. */
  push(frame: EncodedFrame): void {
    const { owner } = this;
    if (!owner.writable) return;

    const waiting = this.#bytes + owner.transport.bufferedAmount;
    if (waiting > 0 && waiting + frame.byteLength > owner.maxOutboxBytes) {
      owner.overflow();
      return;
    }
    if (this.#frames.length === 0) owner.flushQueue.add(this);
    this.#frames.push(frame);
    this.#bytes += frame.byteLength;
  }

  /** Writes now what was collected, for what has to keep its place behind it. */
  flush(): void {
    if (this.#frames.length === 0) return;
    const frames = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    this.owner.transport.write(frames);
  }

  /** Forgets what was collected. */
  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}

import type { Clock } from './clock.interface.js';
import type { EncodedFrame } from './encoded-frame.js';
import type { FlushQueue } from './flush-queue.js';
import type { Transport } from './transport.interface.js';

/** What {@link Outbox} needs of the connection that it belongs to. */
export interface OutboxOwner {
  readonly transport: Transport;
  readonly writable: boolean;
  readonly maxOutboxBytes: number;
  readonly flushQueue: FlushQueue;
  readonly clock: Clock;
  overflow(): void;
}

/** How often a slow peer is looked at that has something waiting for it. */
const DRAIN_CHECK_MS = 20;

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

  /** Whether half of it stays free behind the frame: what is not so urgent waits until it does. */
  hasRoomFor(frame: EncodedFrame): boolean {
    const { owner } = this;
    const waiting = this.#bytes + owner.transport.bufferedAmount;
    return waiting === 0 || waiting + frame.byteLength <= owner.maxOutboxBytes / 2;
  }

  /** Resolves when there is room for the frame, or nothing can be written any more. */
  async roomFor(frame: EncodedFrame): Promise<void> {
    const { clock } = this.owner;
    // What was collected leaves at the end of the turn.
    await new Promise<void>((resolve) => clock.afterTurn(resolve));
    while (this.owner.writable && !this.hasRoomFor(frame)) {
      // No transport tells when it has room again.
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => clock.setTimeout(resolve, DRAIN_CHECK_MS));
    }
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

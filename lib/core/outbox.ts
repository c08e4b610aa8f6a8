import type { Codec } from '../codec/index.js';
import { Backlog, type Reader } from './backlog.js';
import type { Clock } from './clock.interface.js';
import { DRAIN_CHECK_MS, type DrainQueue } from './drain-queue.js';
import type { EncodedFrame } from './encoded-frame.js';
import type { FlushQueue } from './flush-queue.js';
import type { Transport } from './transport.interface.js';

/** What {@link Outbox} needs of the connection that it belongs to. */
export interface OutboxOwner {
  readonly transport: Transport;
  readonly writable: boolean;
  readonly maxOutboxBytes: number;
  readonly flushQueue: FlushQueue;
  readonly drainQueue: DrainQueue;
  readonly clock: Clock;
  readonly codec: Pick<Codec, 'markDropped'>;
  /** More waits than may. */
  overflow(): void;
  /** The peer has lost publications of a channel, and will be told by the next one that it gets. */
  dropped(channel: string, count: number): void;
}

/** Shared by all who have nothing to send. */
const NOTHING: EncodedFrame[] = [];

/** What a pong that waits counts as: it has two bytes at least, and takes so many of the memory of Node. */
export const PONG_BYTES = 512;

/**
 * Frames on their way to one peer. Collects what one turn of the event loop sends and writes it
 * once; bounds what waits for a peer that reads slower than it is written to.
 */
export class Outbox {
  earlyTurn = -1;
  /** Frames that were handed to the transport. */
  sent = 0;
  #frames = NOTHING;
  #bytes = 0;
  /** There for a peer that reads slower than some channel publishes whose publications may be dropped. */
  #backlog?: Backlog;

  constructor(private readonly owner: OutboxOwner) {}

  /**
   * Sends a frame at the end of this turn, an answer maybe before. A connection that cannot be written to any more
   * drops it.
   */
  push(frame: EncodedFrame, isAnswer = false): void {
    if (!this.owner.writable) return;
    const waiting = this.bytes;
    if (waiting > 0 && !this.#hasRoom(waiting + frame.byteLength)) this.owner.overflow();
    else this.#collect(frame, isAnswer);
  }

  /**
   * As {@link push}, for a publication, which may be dropped while the peer has not taken what was written before,
   * where its channel says so.
   */
  publish(frame: EncodedFrame, reader: Reader): void {
    if (reader.overflow === 'disconnect') return this.push(frame);
    const { owner } = this;
    const { transport } = owner;
    if (!owner.writable) return;
    // Who keeps up loses nothing, however much is published in one turn.
    const isFull = this.#backlog !== undefined || !this.hasRoomFor(frame);
    if (isFull && transport.bufferedAmount === 0) this.flush();
    if (transport.bufferedAmount > 0) this.#wait(frame, reader);
    else this.#collect(frame);
  }

  /** Publications of a channel keep their place in front of what is pushed next. */
  settle(reader: Reader): void {
    for (const frame of this.#backlog?.takeOf(reader) ?? []) this.#collect(frame);
  }

  /** Nobody wants the publications of a channel any more. */
  discard(reader: Reader): void {
    this.#backlog?.takeOf(reader);
  }

  /** Something was written past it, to a peer for whom something waited already. */
  judge(): void {
    if (this.owner.writable && !this.#hasRoom(this.bytes)) this.owner.overflow();
  }

  /** Whether half of it stays free behind the frame: what is not so urgent waits until it does. */
  hasRoomFor(frame: EncodedFrame): boolean {
    const waiting = this.bytes;
    return waiting === 0 || waiting + frame.byteLength <= this.owner.maxOutboxBytes / 2;
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

  /** Writes now what was collected, for what has to keep its place behind it, and of the rest what has its turn. */
  flush(): void {
    if (this.#frames.length > 0) {
      const frames = this.#frames;
      this.#frames = NOTHING;
      this.#bytes = 0;
      this.#write(frames);
    }
    const backlog = this.#backlog;
    backlog?.release(this.owner.transport, (frames) => this.#write(frames));
    // Who keeps up again pays nothing for having been slow.
    if (backlog?.isEmpty) this.abandon();
  }

  /** Writes everything now: nothing is dropped for want of time. */
  flushAll(): void {
    for (const frame of this.#backlog?.takeAll() ?? []) this.#collect(frame);
    this.flush();
  }

  /** Forgets what was collected. */
  clear(): void {
    this.#frames = NOTHING;
    this.#bytes = 0;
    this.abandon();
  }

  /** Nothing waits any more for the peer to take what was written before. */
  abandon(): void {
    if (this.#backlog === undefined) return;
    this.#backlog = undefined;
    this.owner.drainQueue.delete(this);
  }

  /** Bytes that the peer has not taken. */
  get bytes(): number {
    const waiting = this.#bytes + this.owner.transport.bufferedAmount;
    return this.#backlog === undefined ? waiting : waiting + this.#backlog.bytes;
  }

  #collect(frame: EncodedFrame, isAnswer = false): void {
    const { flushQueue } = this.owner;
    if (!isAnswer) flushQueue.hold();
    if (this.#frames === NOTHING) {
      // Of most turns it is the only one: an array that grows would have room for many.
      this.#frames = [frame];
      flushQueue.add(this);
    } else {
      this.#frames.push(frame);
    }
    this.#bytes += frame.byteLength;
  }

  #wait(frame: EncodedFrame, reader: Reader): void {
    const { owner } = this;
    if (this.#backlog === undefined) {
      this.#backlog = new Backlog(owner.codec);
      owner.drainQueue.add(this);
    }
    const dropped = this.#backlog.add(reader, frame, owner.transport.bytesWritten);
    if (dropped > 0) owner.dropped(reader.channel, dropped);
    if (!this.#hasRoom(this.bytes, reader)) owner.overflow();
  }

  #write(frames: readonly EncodedFrame[]): void {
    this.sent += frames.length;
    this.owner.transport.write(frames);
  }

  /** Whether so many bytes may wait, where need be without publications that may be dropped. */
  #hasRoom(waiting: number, reader?: Reader): boolean {
    const { owner } = this;
    const excess = waiting - owner.maxOutboxBytes;
    if (excess <= 0) return true;
    if (this.#backlog === undefined) return false;
    return this.#backlog.makeRoom(excess, (channel, count) => owner.dropped(channel, count), reader);
  }
}

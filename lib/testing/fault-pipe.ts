import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';
import { resetSocket } from './reset-socket.js';

/** Which way bytes travel through a {@link FaultProxy}. */
export type FaultDirection = 'toServer' | 'toClient';

/**
 * What is wrong with the network right now: written by the proxy, read by every pipe.
 *
 * @internal
 */
export interface Faults {
  latencyMs: number;
  jitterMs: number;
  bytesPerSecond: number;
  blackHoled: Readonly<Record<FaultDirection, boolean>>;
  cut?: Cut;
  readonly bytes: Record<FaultDirection, number>;
  readonly random: () => number;
}

/** Breaks one connection when so many more bytes have passed: `cut` lets the receiver read all of them. */
interface Cut {
  readonly type: 'cut' | 'reset';
  readonly direction: FaultDirection;
  remainingBytes: number;
}

interface Parcel {
  readonly type: 'bytes' | 'fin' | 'rst';
  readonly dueAt: number;
  /** What is left of the chunk; empty unless `type` is `bytes`. */
  bytes: Buffer;
}

type PipeState = 'idle' | 'waiting' | 'writing' | 'ended';

/** Bytes that latency alone may keep under way, as a TCP window bounds them: 10 MiB/s at 100 ms. */
const MAX_IN_FLIGHT_BYTES = 1024 * 1024;

/** A throttled chunk is passed on in pieces of this much time, not in one piece at its end. */
const SLICE_MS = 20;

const NO_BYTES = Buffer.alloc(0);

/**
 * One direction of a connection: a delay line, then a throttle. Nothing overtakes; the end of the
 * stream and a reset travel in line like bytes do.
 *
 * @internal
 */
export class FaultPipe {
  readonly #line: Parcel[] = [];
  #state: PipeState = 'idle';
  #timer: NodeJS.Timeout | undefined;
  #heldBytes = 0;
  #freeAt = 0;

  /** `onCut` is told when the bytes given to it are the last ones before the cut; the pipe has ended then. */
  constructor(
    private readonly ends: { readonly source: Socket; readonly sink: Socket },
    private readonly direction: FaultDirection,
    private readonly faults: Faults,
    private readonly onCut: (lastBytes: Buffer, type: Cut['type']) => void,
  ) {}

  start(): void {
    const { source } = this.ends;
    source.on('data', (chunk: Buffer) => this.#receive('bytes', chunk));
    source.on('end', () => this.#receive('fin', NO_BYTES));
    source.on('close', (hadError) => {
      if (hadError) this.#receive('rst', NO_BYTES);
    });
    this.update();
  }

  /** To be called after a change of the faults. */
  update(): void {
    if (this.#state === 'waiting') this.#enter('idle');
    this.#regulate();
    this.#pump();
  }

  /** Drops what is under way. */
  stop(): void {
    this.#enter('ended');
    this.#line.length = 0;
  }

  get #isBlackHoled(): boolean {
    return this.faults.blackHoled[this.direction];
  }

  #enter(state: PipeState): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#state = state;
  }

  #receive(type: Parcel['type'], bytes: Buffer): void {
    if (this.#state === 'ended') return;
    const { latencyMs, jitterMs, random } = this.faults;
    const dueAt = performance.now() + latencyMs + (jitterMs > 0 ? random() * jitterMs : 0);
    // Only the head of the line is looked at: as with TCP, jitter may delay what follows, never let it pass.
    this.#line.push({ type, bytes, dueAt });
    this.#heldBytes += bytes.length;
    this.update();
  }

  /** Back-pressure: a paused source lets the buffers of the kernel fill, up to those of the sender. */
  #regulate(): void {
    if (this.#state === 'ended') return;
    const { latencyMs, bytesPerSecond } = this.faults;
    const capacity =
      bytesPerSecond > 0 ? Math.max(1, (bytesPerSecond * latencyMs) / 1000) : MAX_IN_FLIGHT_BYTES;
    if (this.#isBlackHoled || this.#heldBytes >= capacity) this.ends.source.pause();
    else this.ends.source.resume();
  }

  #pump(): void {
    const parcel = this.#line[0];
    if (!parcel || this.#state !== 'idle' || this.#isBlackHoled) return;
    const freeAt = this.faults.bytesPerSecond > 0 ? this.#freeAt : 0;
    const waitMs = Math.max(parcel.dueAt, freeAt) - performance.now();
    if (waitMs > 0) return this.#wait(waitMs);
    if (parcel.type === 'bytes') return this.#write(this.#takeSlice(parcel));
    this.#line.shift();
    if (parcel.type === 'rst') return this.#reset();
    this.ends.sink.end();
    this.#pump();
  }

  #wait(ms: number): void {
    this.#enter('waiting');
    this.#timer = setTimeout(() => {
      this.#enter('idle');
      this.#pump();
    }, ms).unref();
  }

  #takeSlice(parcel: Parcel): Buffer {
    const { bytesPerSecond, cut } = this.faults;
    const perSlice =
      bytesPerSecond > 0 ? Math.max(1, Math.floor((bytesPerSecond * SLICE_MS) / 1000)) : Infinity;
    const untilCut = cut?.direction === this.direction ? cut.remainingBytes : Infinity;
    const slice = parcel.bytes.subarray(0, Math.min(perSlice, untilCut));
    parcel.bytes = parcel.bytes.subarray(slice.length);
    if (parcel.bytes.length === 0) this.#line.shift();
    this.#heldBytes -= slice.length;
    // A timer that fires late must not slow the link down: up to one slice of lost time is made good.
    const startedAt = Math.max(this.#freeAt, performance.now() - SLICE_MS);
    if (bytesPerSecond > 0) this.#freeAt = startedAt + (slice.length / bytesPerSecond) * 1000;
    return slice;
  }

  #write(slice: Buffer): void {
    this.faults.bytes[this.direction] += slice.length;
    const cut = this.#reachedCut(slice.length);
    if (cut) {
      this.stop();
      return this.onCut(slice, cut.type);
    }
    this.#enter('writing');
    // One write at a time: its callback comes when the kernel has taken it all, so a receiver that does
    // not read stops the line.
    this.ends.sink.write(slice, (error) => {
      if (this.#state !== 'writing') return;
      // The sink is gone; its 'close' goes to the source through the pipe of the other direction.
      if (error) return this.stop();
      this.#enter('idle');
      this.update();
    });
  }

  #reachedCut(sentBytes: number): Cut | undefined {
    const { cut } = this.faults;
    if (cut?.direction !== this.direction) return undefined;
    cut.remainingBytes -= sentBytes;
    if (cut.remainingBytes > 0) return undefined;
    this.faults.cut = undefined;
    return cut;
  }

  #reset(): void {
    this.stop();
    resetSocket(this.ends.sink);
  }
}

import type { Codec } from '../codec/index.js';
import type { Overflow } from './channel-definition.js';
import { EncodedFrame } from './encoded-frame.js';
import type { Transport } from './transport.interface.js';

/** What of a transport tells how far the peer has read. */
type Drain = Pick<Transport, 'write' | 'bytesWritten' | 'bufferedAmount'>;

/** Who reads a channel, where its publications may be dropped. */
export interface Reader {
  readonly channel: string;
  readonly overflow: Overflow;
}

type Mark = Pick<Codec, 'markDropped'>;

/**
 * What of one channel is handed over at once, in bytes: it cannot be dropped any more. As much as a socket of Node
 * takes before it asks to be left alone.
 */
const BATCH_BYTES = 16_384;

/**
 * What the word of a loss counts as, which its next publication brings: more than `,"dropped":` and the digits of any
 * count have, in bytes.
 */
const MARK_BYTES = 32;

/** An array that has lost so many of its first items is cut. */
const CUT_AT = 256;

/** The publications of one channel that wait, from the oldest to the newest. Never empty. */
class Line {
  /** How many the reader has lost in front of the first of them. */
  #dropped = 0;
  #frames: EncodedFrame[] = [];
  #first = 0;

  /** @param behind - the first of them leaves when the peer has taken so many bytes: what was written before it */
  constructor(
    readonly reader: Reader,
    public behind: number,
  ) {}

  get length(): number {
    return this.#frames.length - this.#first;
  }

  add(frame: EncodedFrame): void {
    this.#frames.push(frame);
  }

  /** The oldest one makes room. Returns how many bytes fewer wait: the first loss has to be told. */
  drop(): number {
    const markBytes = this.#dropped++ === 0 ? MARK_BYTES : 0;
    return this.#shift().byteLength - markBytes;
  }

  /** The oldest one leaves. Its bytes as they were counted, and the frame that tells of the losses before it. */
  take(codec: Mark): { frame: EncodedFrame; byteLength: number } {
    const frame = this.#shift();
    const dropped = this.#dropped;
    this.#dropped = 0;
    // All who read fast enough share the frame as it is.
    if (dropped === 0) return { frame, byteLength: frame.byteLength };
    const told = new EncodedFrame(codec.markDropped(frame.text, dropped));
    return { frame: told, byteLength: frame.byteLength + MARK_BYTES };
  }

  #shift(): EncodedFrame {
    const frame = this.#frames[this.#first++] as EncodedFrame;
    if (this.#first === CUT_AT) {
      this.#frames = this.#frames.slice(CUT_AT);
      this.#first = 0;
    }
    return frame;
  }
}

/**
 * The publications that one connection has not been written yet, of channels that may drop some: behind what the
 * peer has not taken, each channel in a line of its own.
 */
export class Backlog {
  readonly #lines = new Map<Reader, Line>();
  #bytes = 0;

  constructor(private readonly codec: Mark) {}

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /**
   * @param behind - bytes that were written before it
   * @returns how many of the channel it takes the place of
   */
  add(reader: Reader, frame: EncodedFrame, behind: number): number {
    let line = this.#lines.get(reader);
    if (!line) {
      line = new Line(reader, behind);
      this.#lines.set(reader, line);
    }
    line.add(frame);
    this.#bytes += frame.byteLength;
    if (reader.overflow !== 'latest' || line.length === 1) return 0;
    this.#bytes -= line.drop();
    return 1;
  }

  /**
   * Drops publications until so many bytes are free. The newest of each channel stays: nothing else would tell the
   * reader of the loss.
   *
   * @param first - whose channel gives way before all others
   * @returns whether they are
   */
  makeRoom(bytes: number, dropped: (channel: string, count: number) => void, first?: Reader): boolean {
    const end = this.#bytes - bytes;
    const line = first && this.#lines.get(first);
    if (line) this.#shorten(line, end, dropped);
    for (const other of this.#lines.values()) this.#shorten(other, end, dropped);
    return this.#bytes <= end;
  }

  /** Writes what has its turn: what was written before it has been taken. */
  release(transport: Drain, write: (frames: readonly EncodedFrame[]) => void): void {
    for (let line = this.#due(transport); line; line = this.#due(transport)) {
      write(this.#take(line, BATCH_BYTES));
      line.behind = transport.bytesWritten;
    }
  }

  /** Everything of a channel, which leaves now. */
  takeOf(reader: Reader): readonly EncodedFrame[] {
    const line = this.#lines.get(reader);
    return line ? this.#take(line, Infinity) : [];
  }

  /** Everything, which leaves now. */
  takeAll(): readonly EncodedFrame[] {
    return [...this.#lines.values()].flatMap((line) => this.#take(line, Infinity));
  }

  #due({ bytesWritten, bufferedAmount }: Drain): Line | undefined {
    for (const line of this.#lines.values()) if (line.behind <= bytesWritten - bufferedAmount) return line;
    return undefined;
  }

  /** The oldest ones go, until no more than so many bytes are left of all. */
  #shorten(line: Line, end: number, dropped: (channel: string, count: number) => void): void {
    let count = 0;
    while (this.#bytes > end && line.length > 1) {
      this.#bytes -= line.drop();
      count++;
    }
    if (count > 0) dropped(line.reader.channel, count);
  }

  #take(line: Line, mostBytes: number): EncodedFrame[] {
    const frames: EncodedFrame[] = [];
    let bytes = 0;
    while (line.length > 0 && bytes < mostBytes) {
      const { frame, byteLength } = line.take(this.codec);
      frames.push(frame);
      bytes += byteLength;
    }
    this.#bytes -= bytes;
    if (line.length === 0) this.#lines.delete(line.reader);
    return frames;
  }
}

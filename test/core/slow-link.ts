import type { EncodedFrame } from '../../lib/core/encoded-frame.js';
import { FakeTransport } from './engine-rig.js';

interface Publication {
  readonly channel?: string;
  readonly data?: unknown;
  readonly offset?: number;
  readonly dropped?: number;
}

/** A link that takes what it is told to take: nothing, so many bytes, or everything. */
export class SlowLink extends FakeTransport {
  /** Of the frames that are on their way, what the peer has not taken. */
  isStuck = false;

  override write(frames: readonly EncodedFrame[]): void {
    super.write(frames);
    if (this.isStuck) for (const { byteLength } of frames) this.bufferedAmount += byteLength;
  }

  /** The peer reads so many bytes. */
  take(bytes = this.bufferedAmount): void {
    this.bufferedAmount = Math.max(0, this.bufferedAmount - bytes);
  }

  /** The link is as fast as anything from now on. */
  heal(): void {
    this.isStuck = false;
    this.take();
  }

  get read(): readonly Publication[] {
    return this.frames.map((text) => JSON.parse(text) as Publication);
  }

  /** What was written of channels: `5`, and `5 -2` where two were lost in front of it. */
  get told(): string[] {
    const publications = this.read.filter(({ channel }) => channel !== undefined);
    return publications.map(({ data, dropped }) => `${String(data)}${dropped ? ` -${dropped}` : ''}`);
  }
}

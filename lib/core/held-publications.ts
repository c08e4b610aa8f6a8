import type { EncodedFrame } from './encoded-frame.js';

/** Publications that wait for the ack of the subscription they belong to. */
export class HeldPublications {
  readonly #frames: EncodedFrame[] = [];
  #bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Some were dropped: what is left has a hole, so none of it is of use. */
  get overflowed(): boolean {
    return this.#bytes > this.maxBytes;
  }

  get frames(): readonly EncodedFrame[] {
    return this.#frames;
  }

  add(frame: EncodedFrame): void {
    this.#bytes += frame.byteLength;
    if (this.overflowed) this.#frames.length = 0;
    else this.#frames.push(frame);
  }
}

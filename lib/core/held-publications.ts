import type { EncodedFrame } from './encoded-frame.js';

/** Publications that wait for the ack of the subscription they belong to. */
export class HeldPublications {
  #frames: EncodedFrame[] = [];
  #bytes = 0;
  #overflowed = false;

  constructor(private readonly maxBytes: number) {}

  /** Some were dropped: what is left has a hole, so none of it is of use. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  get frames(): readonly EncodedFrame[] {
    return this.#frames;
  }

  add(frame: EncodedFrame): void {
    if (this.#overflowed) return;
    this.#bytes += frame.byteLength;
    if (this.#bytes > this.maxBytes) {
      this.#overflowed = true;
      this.#frames = [];
    } else {
      this.#frames.push(frame);
    }
  }
}

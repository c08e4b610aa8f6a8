import type { Position } from './broker.interface.js';
import type { EncodedFrame } from './encoded-frame.js';

/** One publication, as it is sent. */
export interface Held {
  readonly frame: EncodedFrame;
  /** On channels with history. */
  readonly position: Position | undefined;
}

/** Publications that wait for the ack of the subscription they belong to, or for those before them. */
export class HeldPublications {
  readonly #publications: Held[] = [];
  #bytes = 0;
  #isBroken = false;
  #hasLost: boolean;

  /** @param hasLost - of what was held before in its place */
  constructor(
    private readonly maxBytes: number,
    hasLost = false,
  ) {
    this.#hasLost = hasLost;
  }

  /** Some are missing: what is left has a hole, so none of it is of use. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Something is missing that no history has either. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  get publications(): readonly Held[] {
    return this.#publications;
  }

  add(frame: EncodedFrame, position?: Position): void {
    this.#bytes += frame.byteLength;
    if (this.#bytes > this.maxBytes) this.break();
    else if (!this.#isBroken) this.#publications.push({ frame, position });
  }

  /** Something has come that nobody can be handed. */
  lose(): void {
    this.#hasLost = true;
    this.break();
  }

  /** What comes next does not follow what is held. */
  break(): void {
    this.#isBroken = true;
    this.#publications.length = 0;
  }
}

import type { ChannelStream } from './channel-stream.js';

/** Channels that are asked for at a time: publications share the way to the broker with them. */
const MAX_ASKED = 64;

/** Asks where channels stand, a few at a time, and again where there was no answer. */
export class PositionChecks {
  readonly #waiting = new Set<ChannelStream>();
  readonly #failed = new Set<ChannelStream>();
  /** Has what was asked behind it: another one would walk over the places of all that have left. */
  #turn?: SetIterator<ChannelStream> | undefined;
  #asked = 0;

  /** @param isFollowed - whether somebody is still in the channel, and the stream is the one of it */
  constructor(private readonly isFollowed: (stream: ChannelStream) => boolean) {}

  /** Those that are asked for, wait for it, or had no answer. */
  get size(): number {
    return this.#asked + this.#waiting.size + this.#failed.size;
  }

  add(stream: ChannelStream): void {
    this.#failed.delete(stream);
    this.#waiting.add(stream);
    this.#ask();
  }

  /** The broker has not answered: one more question is for {@link again}. */
  addFailed(stream: ChannelStream): void {
    this.#failed.add(stream);
  }

  /** Asks once more for those that had no answer. */
  again(): void {
    for (const stream of this.#failed) this.add(stream);
  }

  #ask(): void {
    while (this.#asked < MAX_ASKED) {
      this.#turn ??= this.#waiting.values();
      const { value: stream, done } = this.#turn.next();
      if (done) {
        // Kept, it would keep all that comes and goes from here on.
        this.#turn = undefined;
        return;
      }
      this.#waiting.delete(stream);
      if (this.isFollowed(stream)) void this.#check(stream);
    }
  }

  async #check(stream: ChannelStream): Promise<void> {
    this.#asked++;
    await stream.check();
    this.#asked--;
    this.#ask();
  }
}

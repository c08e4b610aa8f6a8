import type { PublicationFrame } from '../protocol/index.js';
import { ChannelsClientError } from './client-error.js';

type Result = IteratorResult<PublicationFrame, undefined>;

const DONE: Result = { done: true, value: undefined };

/** The publications of one channel from the moment it was made, one after the other. */
export class PublicationIterator implements AsyncIterableIterator<PublicationFrame, undefined> {
  readonly #buffer: PublicationFrame[] = [];
  /** Readers that found nothing. */
  readonly #sleepers: (() => void)[] = [];
  #hasEnded = false;
  /** Told to the next reader only. */
  #error: unknown;

  /** @param ended - is called once, when it takes no more */
  constructor(
    private readonly maxBuffered: number,
    private readonly ended: (iterator: PublicationIterator) => void,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Result> {
    while (this.#buffer.length === 0 && !this.#hasEnded) {
      // Each of them looks again by itself, in the order in which they came.
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => this.#sleepers.push(resolve));
    }
    const value = this.#buffer.shift();
    if (value) return { done: false, value };
    const error = this.#error;
    this.#error = undefined;
    if (error) throw error;
    return DONE;
  }

  async return(): Promise<Result> {
    this.#buffer.length = 0;
    this.end();
    return DONE;
  }

  push(publication: PublicationFrame): void {
    if (this.#buffer.length >= this.maxBuffered) {
      const text = `The loop is ${this.maxBuffered} publications behind (maxBuffered).`;
      this.end(new ChannelsClientError('queue_full', text));
      return;
    }
    this.#buffer.push(publication);
    this.#wake();
  }

  /** What came before it is still handed out; then the loop ends, with the error where there is one. */
  end(error?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    this.ended(this);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#sleepers.splice(0)) wake();
  }
}

import type { PublicationFrame } from '../protocol/index.js';
import { ChannelsClientError } from './client-error.js';

interface Waiting {
  resolve(result: IteratorResult<PublicationFrame, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorResult<PublicationFrame, undefined> = { done: true, value: undefined };

/** The publications of one channel from the moment it was made, one after the other. */
export class PublicationIterator implements AsyncIterableIterator<PublicationFrame, undefined> {
  readonly #buffer: PublicationFrame[] = [];
  readonly #waiting: Waiting[] = [];
  #end: { readonly error?: unknown } | undefined;

  /** @param returned - is called once, when it takes no more */
  constructor(
    private readonly maxBuffered: number,
    private readonly returned: (iterator: PublicationIterator) => void,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<PublicationFrame, undefined>> {
    const value = this.#buffer.shift();
    if (value) return Promise.resolve({ done: false, value });
    if (this.#end) return this.#ending(this.#end);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<PublicationFrame, undefined>> {
    this.#buffer.length = 0;
    this.end();
    return Promise.resolve(DONE);
  }

  push(publication: PublicationFrame): void {
    if (this.#end) return;
    const reader = this.#waiting.shift();
    if (reader) {
      reader.resolve({ done: false, value: publication });
    } else if (this.#buffer.length < this.maxBuffered) {
      this.#buffer.push(publication);
    } else {
      const text = `The loop lags ${this.maxBuffered} publications behind (maxBuffered).`;
      this.end(new ChannelsClientError('queue_full', text));
    }
  }

  /** What came before it is still handed out; then the loop ends, with the error where there is one. */
  end(error?: unknown): void {
    if (this.#end) return;
    this.#end = error === undefined ? {} : { error };
    for (const [at, reader] of this.#waiting.splice(0).entries()) {
      // An error is told once.
      if (at === 0 && error !== undefined) reader.reject(error);
      else reader.resolve(DONE);
    }
    this.returned(this);
  }

  #ending(end: { readonly error?: unknown }): Promise<IteratorResult<PublicationFrame, undefined>> {
    if (!('error' in end)) return Promise.resolve(DONE);
    this.#end = {};
    return Promise.reject(end.error);
  }
}

import type { RefusalHeaders } from '../transport/index.js';

/**
 * What handshake guards and interceptors get as the response: before the upgrade there is none, so
 * it keeps the headers that a refusal is to carry.
 */
export class ResponseShim {
  statusCode = 200;
  readonly #headers = new Map<
    string,
    { readonly name: string; readonly value: string | number | readonly string[] }
  >();

  get headers(): RefusalHeaders {
    return Object.fromEntries([...this.#headers.values()].map(({ name, value }) => [name, value]));
  }

  setHeader(name: string, value: string | number | readonly string[]): this {
    this.#headers.set(name.toLowerCase(), { name, value });
    return this;
  }

  /** As Express and Fastify have it. */
  header(name: string, value: string | number | readonly string[]): this {
    return this.setHeader(name, value);
  }

  getHeader(name: string): string | number | readonly string[] | undefined {
    return this.#headers.get(name.toLowerCase())?.value;
  }

  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }

  status(code: number): this {
    this.statusCode = code;
    return this;
  }
}

import { HandshakeRefusal, type RefusalHeaders } from '../transport/index.js';

type HeaderValue = string | number | readonly string[];

/** What refuses: an error, or a redirect, which an upgrade cannot follow. */
export function isRefusal(status: number): boolean {
  return Number.isInteger(status) && status >= 300 && status <= 599;
}

/**
 * What handshake guards and interceptors get as the response. Before the upgrade there is none: it
 * keeps the headers that a refusal is to carry, and whoever sends it an answer refuses with that.
 */
export class ResponseShim {
  statusCode = 200;
  readonly #headers = new Map<string, { readonly name: string; readonly value: HeaderValue }>();
  #refusal?: HandshakeRefusal;
  #end!: () => void;

  /** Resolves when somebody has sent an answer. */
  readonly ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  /** The answer that was sent, as a refusal. */
  get refusal(): HandshakeRefusal | undefined {
    return this.#refusal;
  }

  get headersSent(): boolean {
    return this.#refusal !== undefined;
  }

  get headers(): RefusalHeaders {
    return Object.fromEntries([...this.#headers.values()].map(({ name, value }) => [name, value]));
  }

  setHeader(name: string, value: HeaderValue): this {
    this.#headers.set(name.toLowerCase(), { name, value });
    return this;
  }

  /** As Express and Fastify have it. */
  header(name: string, value: HeaderValue): this {
    return this.setHeader(name, value);
  }

  getHeader(name: string): HeaderValue | undefined {
    return this.#headers.get(name.toLowerCase())?.value;
  }

  getHeaders(): RefusalHeaders {
    return this.headers;
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }

  status(code: number): this {
    this.statusCode = code;
    return this;
  }

  writeHead(code: number, headers: Readonly<Record<string, HeaderValue>> = {}): this {
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    return this.status(code);
  }

  redirect(first: string | number, second?: string | number): void {
    const [url, status] = typeof first === 'string' ? [first, second ?? 302] : [second ?? '', first];
    this.setHeader('Location', url).status(Number(status)).end();
  }

  json(body: unknown): void {
    this.end(body);
  }

  send(body?: unknown): void {
    this.end(body);
  }

  /** Whatever is sent here is sent instead of the upgrade: an answer that is no refusal becomes a 500. */
  end(body?: unknown): void {
    if (this.#refusal) return;
    const status = isRefusal(this.statusCode) ? this.statusCode : 500;
    this.#refusal = new HandshakeRefusal(status, body, this.headers);
    this.#end();
  }
}

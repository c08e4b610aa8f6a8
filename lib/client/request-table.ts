import type { EventFrame } from '../protocol/index.js';
import { ChannelsClientError } from './client-error.js';
import { measure, refusalOf } from './frame-text.js';
import type { Reporter } from './reporter.js';

/**
 * What a handler learns of the request besides its data.
 *
 * @publicApi
 */
export interface RequestContext {
  /** Aborts when the connection that has asked ends: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** The connection that asks. */
interface Line {
  write(text: string): unknown;
}

type RequestHandler = (data: never, context: RequestContext) => unknown;

/** What the server may ask, and what it has asked on this connection. */
export class RequestTable {
  readonly #limits: () => Readonly<Record<string, number>>;
  readonly #reporter: Reporter;
  readonly #handlers = new Map<string, RequestHandler>();
  /** By what they end: the answer, or the end of the connection. */
  readonly #open = new Map<AbortController, Line>();

  /** @param limits - what the server takes */
  constructor(limits: () => Readonly<Record<string, number>>, reporter: Reporter) {
    this.#limits = limits;
    this.#reporter = reporter;
  }

  add(event: string, handler: RequestHandler): () => void {
    const handlers = this.#handlers;
    if (handlers.has(event)) throw new TypeError(`${event} has a handler already: end that one first.`);
    // Whoever still holds a function that ends a registration must not end a later one.
    const registered: RequestHandler = (data, context) => handler(data, context);
    handlers.set(event, registered);
    return () => {
      if (handlers.get(event) === registered) handlers.delete(event);
    };
  }

  /** Answers to the connection that has asked, or to nobody. */
  async answer({ event, data, id }: EventFrame, line: Line): Promise<void> {
    const life = new AbortController();
    const { signal } = life;
    this.#open.set(life, line);
    let text: string;
    try {
      const handler = this.#handlers.get(event);
      if (!handler) throw new ChannelsClientError('unknown_event', `Nothing handles ${event}.`);
      text = this.#encode({ ack: id, data: await handler(data as never, { signal }) });
    } catch (error) {
      // What a handler throws after the end is how it stops.
      text = signal.aborted ? '' : this.#refuse(id, error);
    }
    this.#open.delete(life);
    if (!signal.aborted) line.write(text);
  }

  /** Whether something that was asked on this connection has no answer yet. */
  isOwed(line: Line): boolean {
    return [...this.#open.values()].includes(line);
  }

  /** The connection is over, and with it what was asked on it. */
  end(line: Line): void {
    for (const [life, by] of this.#open) {
      if (by !== line) continue;
      this.#open.delete(life);
      life.abort();
    }
  }

  #encode(answer: object): string {
    const frame = measure(answer);
    const refusal = refusalOf(frame, this.#limits());
    if (refusal) throw refusal;
    return frame.text;
  }

  /** Of an error that was not made for the server it learns nothing. */
  #refuse(ack: unknown, error: unknown): string {
    let failure = error;
    try {
      if (error instanceof ChannelsClientError) {
        const { code, message, details } = error;
        return this.#encode({ ack, error: { code, message, details } });
      }
    } catch (cause) {
      // Its details have no JSON, or too much of it.
      failure = cause;
    }
    this.#reporter.listenerFailed(failure);
    return JSON.stringify({ ack, error: { code: 'internal', message: 'The handler failed.' } });
  }
}

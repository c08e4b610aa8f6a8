import { WsException } from '@nestjs/websockets';
import { TURNED_AWAY, type Gate, type Handler, type Message } from '../core/handler.interface.js';
import { asStream } from '../core/result-stream.js';
import { MESSAGE } from './decorators/message-params.decorator.js';
import type { MethodPipeline } from './method-pipeline.js';
import { ExecutionContextHost } from './nest-internals.js';
import type { LocalFilter } from './pipeline-compiler.js';

/** What stock Nest throws when a guard says no; the class tells it from what the application throws. */
export class ForbiddenMessage extends WsException {
  constructor() {
    super('Forbidden resource');
  }
}

/** An exception that a local filter has taken care of without giving an answer. */
export class FilteredException extends Error {
  override readonly name = 'FilteredException';

  constructor(override readonly cause: unknown) {
    super('a filter has handled it');
  }
}

export interface MessagePipelineParts {
  readonly event: string;
  readonly acked: boolean;
  readonly concurrent: boolean;
  readonly pattern: string;
  readonly pipeline: MethodPipeline;
  readonly filters: readonly LocalFilter[];
  /** Whether the method answers through the callback of Nest's `@Ack()`. */
  readonly acksByHand: boolean;
  /** Whether it has parameters with decorators that are not Nest's own: ours need the message itself. */
  readonly decorated: boolean;
}

/** One method of a gateway as the engine's handler: Nest's arguments in, Nest's exceptions out. */
export class MessagePipeline implements Handler {
  readonly event: string;
  readonly acked: boolean;
  readonly concurrent: boolean;

  constructor(private readonly parts: MessagePipelineParts) {
    this.event = parts.event;
    this.acked = parts.acked;
    this.concurrent = parts.concurrent;
  }

  handle(message: Message, gate?: Gate): unknown {
    if (this.parts.acksByHand && message.id !== undefined) return this.#acknowledged(message, gate);
    return this.#filtered(this.#args(message), gate);
  }

  /** As in stock Nest, `[client, data, event, ..., pattern]`. */
  #args(message: Message, ack?: (value: unknown) => void): unknown[] {
    const { connection, data, event } = message;
    const { socket } = connection.info;
    const { pattern, decorated } = this.parts;
    const args = ack ? [socket, data, event, ack, pattern] : [socket, data, event, pattern];
    return decorated ? Object.assign(args, { [MESSAGE]: message }) : args;
  }

  /** The answer is what the callback gets, and leaves when the method has resolved as well. */
  #acknowledged(message: Message, gate?: Gate): Promise<unknown> {
    let acknowledge!: (value: unknown) => void;
    const acked = new Promise<unknown>((resolve) => {
      acknowledge = resolve;
    });
    const done = (async (): Promise<void> => {
      const result = await this.#filtered(this.#args(message, acknowledge), gate);
      if (result === TURNED_AWAY) {
        // The method that has the callback does not run.
        acknowledge(result);
        return;
      }
      const stream = asStream(result, true);
      message.connection.sendValue(stream ? await stream.last() : result);
    })();
    return Promise.all([acked, done]).then(([value]) => value);
  }

  #filtered(args: unknown[], gate?: Gate): unknown {
    const { filters, pipeline } = this.parts;
    if (filters.length === 0) return pipeline.run(args, gate);
    const filter = (error: unknown): unknown => this.#filter(error, args);
    // Behind an interceptor every result is a stream, and so is every failure.
    const filterStream = (value: unknown): unknown => asStream(value, this.acked)?.recover(filter) ?? value;
    let result: unknown;
    try {
      result = pipeline.run(args, gate);
    } catch (error) {
      return filter(error);
    }
    return result instanceof Promise ? result.then(filterStream, filter) : filterStream(result);
  }

  /** A filter's return value is the answer, but never lets anybody into a channel that was refused. */
  #filter(error: unknown, args: unknown[]): unknown {
    const filter = this.parts.filters.find(
      ({ exceptionMetatypes: types }) => types.length === 0 || types.some((type) => error instanceof type),
    );
    if (!filter) throw error;
    const host = new ExecutionContextHost(args);
    host.setType('ws');
    const answer = filter.func(error, host);
    if (answer instanceof Promise) return answer.then((value: unknown) => this.#answer(value, error));
    return this.#answer(answer, error);
  }

  #answer(value: unknown, error: unknown): unknown {
    if (value === undefined || this.event === '$subscribe') throw new FilteredException(error);
    return value;
  }
}

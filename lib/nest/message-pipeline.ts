import { WsException } from '@nestjs/websockets';
import type { Handler, Message } from '../core/handler.interface.js';
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

/** One method of a gateway as the engine's handler: Nest's arguments in, Nest's exceptions out. */
export class MessagePipeline implements Handler {
  constructor(
    readonly event: string,
    readonly acked: boolean,
    private readonly pattern: string,
    private readonly pipeline: MethodPipeline,
    private readonly filters: readonly LocalFilter[],
    /** Whether the method answers through the callback of Nest's `@Ack()`. */
    private readonly acksByHand: boolean,
    /** Whether it has parameters with decorators that are not Nest's own: ours need the message itself. */
    private readonly decorated: boolean,
  ) {}

  handle(message: Message): unknown {
    if (this.acksByHand && message.id !== undefined) return this.#acknowledged(message);
    return this.#filtered(this.#args(message));
  }

  /** As in stock Nest, `[client, data, event, ..., pattern]`. */
  #args(message: Message, ack?: (value: unknown) => void): unknown[] {
    const { connection, data, event } = message;
    const { socket } = connection.info;
    const args = ack ? [socket, data, event, ack, this.pattern] : [socket, data, event, this.pattern];
    return this.decorated ? Object.assign(args, { [MESSAGE]: message }) : args;
  }

  /** The answer is what the callback gets, and leaves when the method has resolved as well. */
  #acknowledged(message: Message): Promise<unknown> {
    let acknowledge!: (value: unknown) => void;
    const acked = new Promise<unknown>((resolve) => {
      acknowledge = resolve;
    });
    const done = (async (): Promise<void> => {
      const result = await this.#filtered(this.#args(message, acknowledge));
      const stream = asStream(result, true);
      message.connection.sendValue(stream ? await stream.last() : result);
    })();
    return Promise.all([acked, done]).then(([value]) => value);
  }

  #filtered(args: unknown[]): unknown {
    if (this.filters.length === 0) return this.pipeline.run(args);
    const filter = (error: unknown): unknown => this.#filter(error, args);
    // Behind an interceptor every result is a stream, and so is every failure.
    const filterStream = (value: unknown): unknown => asStream(value, this.acked)?.recover(filter) ?? value;
    let result: unknown;
    try {
      result = this.pipeline.run(args);
    } catch (error) {
      return filter(error);
    }
    return result instanceof Promise ? result.then(filterStream, filter) : filterStream(result);
  }

  /** A filter's return value is the answer, but never lets anybody into a channel that was refused. */
  #filter(error: unknown, args: unknown[]): unknown {
    const filter = this.filters.find(
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

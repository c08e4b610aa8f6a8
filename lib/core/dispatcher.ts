import {
  ERROR_CODES,
  EXCEPTION_EVENT,
  RESERVED_EVENT_PREFIX,
  type EventFrame,
  type WireError,
} from '../protocol/index.js';
import { AckedTurn } from './acked-turn.js';
import { answerData } from './answer-data.js';
import { runCommand } from './commands.js';
import type { Connection } from './connection.js';
import type { Engine } from './engine.js';
import { Message, type Handler } from './handler.interface.js';
import { PendingReply } from './pending-reply.js';
import { asStream, type ResultStream } from './result-stream.js';

/** How long a peer waits that has too many messages unanswered: by then some have been answered. */
const IN_FLIGHT_RETRY_MS = 1_000;

/** One frame, one look-up, one handler, one answer. */
export class Dispatcher {
  constructor(private readonly engine: Engine) {}

  dispatch(connection: Connection, frame: EventFrame): void {
    const { event } = frame;
    if (event.startsWith(RESERVED_EVENT_PREFIX) && !connection.isForeign) {
      runCommand(this.engine, connection, frame);
      return;
    }
    const handlers = connection.endpoint.handlers.get(event);
    const message = new Message(connection, event, frame.data, connection.idOf(frame));
    const refusal = this.#refusal(message, handlers);
    if (!handlers || refusal) {
      if (handlers || message.id !== undefined || !connection.isForeign)
        this.refuse(message, refusal as WireError);
      return;
    }
    const first = handlers[0] as Handler;
    if (first.acked) {
      connection.greeted = true;
      new AckedTurn(this.engine, message, first).begin();
      return;
    }
    this.#run(first, message);
    for (let at = 1; at < handlers.length; at++) {
      this.#run(handlers[at] as Handler, new Message(connection, event, frame.data));
    }
  }

  /** Sends what a handler has returned. */
  answer(message: Message, value: unknown): void {
    const { connection, id } = message;
    try {
      if (id === undefined) connection.sendValue(value);
      else connection.sendAck(id, answerData(value));
    } catch (error) {
      this.fail(message, error);
      return;
    }
    if (id !== undefined) this.engine.observers.acked(connection, message.event, 'done');
  }

  /** Sends what a handler has thrown, as far as the peer may know it. */
  fail(message: Message, error: unknown): void {
    const { connection, id } = message;
    if (id === undefined) {
      const exception = this.engine.errors.toException(error, message);
      if (exception !== undefined) this.#except(connection, exception);
      return;
    }
    const wire = this.engine.errors.toWireError(error, message);
    try {
      connection.sendError(id, wire);
    } catch (failure) {
      // What the application gave with its error has no JSON. The rest of the answer still has.
      this.engine.observers.failed({ where: message.event, error: failure });
      const text = typeof wire.message === 'string' ? wire.message : 'an error without a text';
      connection.sendError(id, wireError(wire.code, text));
    }
    this.engine.observers.acked(connection, message.event, wire.code === 'timeout' ? 'timeout' : 'failed');
  }

  /** Answers with an error of the protocol itself. */
  refuse(message: Message, error: WireError): void {
    const { connection, id } = message;
    if (id === undefined) connection.sendException(error);
    else connection.sendError(id, error);
  }

  #except(connection: Connection, exception: unknown): void {
    try {
      connection.sendEvent(EXCEPTION_EVENT, exception);
    } catch (error) {
      // The object that the application gave with its exception has no JSON.
      this.engine.observers.failed({ where: 'an exception', error });
      connection.sendEvent(EXCEPTION_EVENT, { status: 'error', message: 'Internal server error' });
    }
  }

  #refusal(
    { connection, event, id }: Message,
    handlers: readonly Handler[] | undefined,
  ): WireError | undefined {
    const { maxEventLength, maxInFlight } = this.engine.options;
    if (event.length > maxEventLength) {
      this.engine.observers.faulted(connection, 'bad_request');
      return wireError('bad_request', `the event is longer than ${maxEventLength} characters`);
    }
    if (!handlers) {
      this.engine.observers.faulted(connection, 'unknown_event', event);
      return wireError('unknown_event', `no @SubscribeMessage() handles ${JSON.stringify(event)}`);
    }
    if (this.engine.closing) return wireError('unavailable', 'the server shuts down');
    if (id !== undefined)
      return connection.inFlight >= maxInFlight ? this.#tooMany(connection, connection.inFlight) : undefined;
    // Nothing else bounds those without an `id`; elsewhere they do not wait.
    return handlers[0]?.acked && connection.lane.waiting >= maxInFlight
      ? this.#tooMany(connection, connection.lane.waiting)
      : undefined;
  }

  #tooMany(connection: Connection, unanswered: number): WireError {
    this.engine.observers.faulted(connection, 'rate_limited');
    const text = `${unanswered} messages are unanswered`;
    return { ...wireError('rate_limited', text), retryAfterMs: IN_FLIGHT_RETRY_MS };
  }

  #run(handler: Handler, message: Message): void {
    let result: unknown;
    let stream: ResultStream | undefined;
    try {
      result = handler.handle(message);
      // In here as well: a result may throw when it is looked at.
      if (!(result instanceof Promise)) stream = asStream(result, false);
    } catch (error) {
      this.fail(message, error);
      return;
    }
    if (result instanceof Promise) new PendingReply(this.engine, message).follow(result);
    else if (stream) new PendingReply(this.engine, message).stream(stream);
    else this.answer(message, result);
  }
}

function wireError(code: WireError['code'], message: string): WireError {
  return { code, message, retryable: ERROR_CODES[code].retryable };
}

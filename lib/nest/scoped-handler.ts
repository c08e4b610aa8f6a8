import type { Connection } from '../core/connection.js';
import type { Gate, Handler, Message } from '../core/handler.interface.js';

/** A method of a gateway that each connection has an instance of: compiled when the connection first uses it. */
export class ScopedHandler implements Handler {
  readonly #handlers = new WeakMap<Connection, Handler>();

  constructor(
    readonly event: string,
    readonly acked: boolean,
    readonly concurrent: boolean,
    private readonly compile: (connection: Connection) => Handler,
  ) {}

  handle(message: Message, gate?: Gate): unknown {
    const { connection } = message;
    let handler = this.#handlers.get(connection);
    if (!handler) {
      handler = this.compile(connection);
      this.#handlers.set(connection, handler);
    }
    return handler.handle(message, gate);
  }
}

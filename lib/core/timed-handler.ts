import type { Connection } from './connection.js';
import { TURNED_AWAY, type Gate, type Handler, type Message } from './handler.interface.js';
import type { Observers } from './observers.js';

/** A handler whose time is told while somebody wants to know; there only where somebody may. */
export class TimedHandler implements Handler {
  constructor(
    private readonly handler: Handler,
    private readonly observers: Observers,
  ) {}

  get event(): string {
    return this.handler.event;
  }

  get acked(): boolean {
    return this.handler.acked;
  }

  get concurrent(): boolean {
    return this.handler.concurrent ?? false;
  }

  /** Of a stream it is the time until it is there, not for as long as it runs. */
  handle(message: Message, gate?: Gate): unknown {
    if (!this.observers.measuresHandlers) return this.handler.handle(message, gate);
    const { connection } = message;
    const start = connection.engine.clock.now();
    let result: unknown;
    try {
      result = this.handler.handle(message, gate);
    } catch (error) {
      this.#tell(connection, start);
      throw error;
    }
    if (result instanceof Promise) return this.#follow(result, connection, start);
    // Otherwise the method has not run.
    if (result !== TURNED_AWAY) this.#tell(connection, start);
    return result;
  }

  async #follow(running: Promise<unknown>, connection: Connection, start: number): Promise<unknown> {
    let result: unknown;
    try {
      result = await running;
    } catch (error) {
      this.#tell(connection, start);
      throw error;
    }
    if (result !== TURNED_AWAY) this.#tell(connection, start);
    return result;
  }

  #tell(connection: Connection, start: number): void {
    this.observers.handled(connection, this.event, connection.engine.clock.now() - start);
  }
}

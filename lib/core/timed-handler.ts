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
    const { clock } = connection.engine;
    const start = clock.now();
    const end = (): void => this.observers.handled(connection, this.event, clock.now() - start);
    const ended = (result: unknown): unknown => {
      // The method has not run.
      if (result !== TURNED_AWAY) end();
      return result;
    };
    let result: unknown;
    try {
      result = this.handler.handle(message, gate);
    } catch (error) {
      end();
      throw error;
    }
    if (!(result instanceof Promise)) return ended(result);
    return result.then(ended, (error: unknown) => {
      end();
      throw error;
    });
  }
}

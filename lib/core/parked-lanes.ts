import type { Clock, Timer } from './clock.interface.js';
import type { Connection } from './connection.js';

/** How often parked lanes are looked at, in milliseconds. */
const CHECK_MS = 20;

/** The lanes that wait for their rates. One timer serves all of them, while there are any. */
export class ParkedLanes {
  readonly #connections = new Set<Connection>();
  #timer?: Timer;

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#connections.size;
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
    this.#timer ??= this.clock.setInterval(() => this.#look(), CHECK_MS);
  }

  /** The node goes away: what waits is worked off now. */
  release(): void {
    for (const connection of this.#connections) this.#resume(connection);
  }

  #look(): void {
    for (const connection of this.#connections) {
      if (connection.state !== 'open' || !connection.owes) this.#resume(connection);
    }
  }

  #resume(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0 && this.#timer) {
      this.clock.clearTimer(this.#timer);
      this.#timer = undefined;
    }
    connection.lane.resume();
  }
}

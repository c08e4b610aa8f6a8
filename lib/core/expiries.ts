import { CLOSE_CODES } from '../protocol/index.js';
import type { Clock, Timer } from './clock.interface.js';
import type { Connection } from './connection.js';
import { dismiss } from './dismiss.js';

/**
 * How often the wall clock is looked at, and how exactly ends are told apart: half a second late at most. Looking at
 * it, instead of waiting for the next end, finds a clock that was stepped, and ends that no timer can wait for.
 */
export const EXPIRY_LOOK_MS = 250;

/** Connections whose session ends. One timer serves all of them, while there are any. */
export class Expiries {
  /** By the end, rounded up. None of the sets is empty. */
  readonly #byEnd = new Map<number, Set<Connection>>();
  #firstEnd = Infinity;
  #ticker?: Timer;

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#byEnd.size;
  }

  add(connection: Connection): void {
    const end = endOf(connection);
    if (end === undefined) return;
    let connections = this.#byEnd.get(end);
    if (!connections) this.#byEnd.set(end, (connections = new Set()));
    connections.add(connection);
    this.#firstEnd = Math.min(this.#firstEnd, end);
    this.#ticker ??= this.clock.setInterval(() => this.#look(), EXPIRY_LOOK_MS);
  }

  /** Before its session is another one, or when it has ended. */
  delete(connection: Connection): void {
    const end = endOf(connection);
    const connections = end === undefined ? undefined : this.#byEnd.get(end);
    if (!connections?.delete(connection) || connections.size > 0) return;
    this.#byEnd.delete(end as number);
    if (this.#byEnd.size > 0) return;
    if (this.#ticker) this.clock.clearTimer(this.#ticker);
    this.#ticker = undefined;
    this.#firstEnd = Infinity;
  }

  #look(): void {
    const now = this.clock.wallNow();
    if (this.#firstEnd > now) return;
    const expired: Connection[] = [];
    this.#firstEnd = Infinity;
    for (const [end, connections] of this.#byEnd) {
      if (end > now) this.#firstEnd = Math.min(this.#firstEnd, end);
      // What was closed stays until it has ended, and is not looked for again.
      else for (const connection of connections) if (connection.writable) expired.push(connection);
    }
    dismiss(expired, this.clock, CLOSE_CODES.TokenExpired);
  }
}

function endOf({ info }: Connection): number | undefined {
  const { expiresAt } = info;
  if (expiresAt === undefined || !Number.isFinite(expiresAt)) return undefined;
  return Math.ceil(expiresAt / EXPIRY_LOOK_MS) * EXPIRY_LOOK_MS;
}

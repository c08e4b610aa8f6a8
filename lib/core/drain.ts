import type { Clock } from './clock.interface.js';
import type { Connection } from './connection.js';
import type { Engine } from './engine.js';
import { LeaveTimes } from './leave-times.js';
import type { DrainReport } from './observer.interface.js';

/** How often the next ones are told. */
export const DRAIN_STEP_MS = 50;

/** What the last slots leave of the window: to connect elsewhere and to settle what is in flight. */
const REST_PART = 0.25;
export const DRAIN_REST_MS = 5_000;

/** Of the budget that all nodes share. No event begins like this. */
const BUDGET = { name: '$drain', principal: '*' } as const;

/** Moves the clients of a node to others: each is told to go in a slot of its own, and is served until it has gone. */
export class Drain {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #startedAt: number;
  /** Also gives those that come while it runs, whose handshakes had begun before. */
  readonly #connections: Iterator<Connection>;
  readonly #leaves = new LeaveTimes();
  /** Clients that there were. */
  readonly #clients: number;
  #told = 0;
  /** Ends the pause before its time. */
  #wake?: () => void;

  constructor(engine: Engine, windowMs: number) {
    this.#engine = engine;
    this.#clock = engine.clock;
    this.#windowMs = windowMs;
    this.#startedAt = engine.clock.now();
    this.#connections = engine.connections.values();
    this.#clients = countClients(engine);
  }

  /**
   * Resolves when no client is left, at the latest at the end of the window.
   *
   * @param lastTold - called when nobody else gets a slot within the window
   */
  async run(lastTold: () => void): Promise<DrainReport> {
    const { windowMs, clients } = this.#facts;
    if (clients === 0 || windowMs === 0) {
      lastTold();
      return this.#report();
    }
    this.#engine.observers.draining(this.#facts);
    await this.#giveSlots(windowMs - Math.min(windowMs * REST_PART, DRAIN_REST_MS));
    this.#giveLateSlots();
    lastTold();
    await this.#waitUntil(windowMs);
    return this.#report();
  }

  /** A connection has ended. */
  forget(connection: Connection): void {
    if (connection.isLeaving) this.#leaves.add(this.#elapsedMs);
    if (!this.#hasClients()) this.#wake?.();
  }

  get #facts(): { readonly clients: number; readonly windowMs: number } {
    return { clients: this.#clients, windowMs: this.#windowMs };
  }

  get #elapsedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  async #giveSlots(slotsMs: number): Promise<void> {
    const { drainConnectsPerSecond: perSecond } = this.#engine.options;
    while (this.#elapsedMs < slotsMs && this.#hasClients()) {
      // One step after the other.
      // oxlint-disable-next-line no-await-in-loop
      await (perSecond > 0 ? this.#spend(perSecond) : this.#spread(slotsMs));
      // oxlint-disable-next-line no-await-in-loop
      await this.#pause();
    }
  }

  /** As many as are due by now, of all evenly. */
  #spread(slotsMs: number): void {
    const due = Math.ceil((this.#clients * (this.#elapsedMs + DRAIN_STEP_MS)) / slotsMs);
    while (this.#told < due && this.#tellNext()) continue;
  }

  /** As many as the nodes may tell together. */
  async #spend(perSecond: number): Promise<void> {
    const points = Math.ceil((perSecond * DRAIN_STEP_MS) / 1_000);
    const rule = { points, perMs: (points / perSecond) * 1_000 };
    // oxlint-disable-next-line no-await-in-loop -- each of them is one point
    while (this.#told < this.#clients && (await this.#engine.principalRates.take(BUDGET, rule)) === 0) {
      if (!this.#tellNext()) return;
    }
  }

  /** `false` where all have been told. */
  #tellNext(): boolean {
    for (let next = this.#connections.next(); !next.done; next = this.#connections.next()) {
      if (!next.value.isClient || next.value.isLeaving) continue;
      this.#told++;
      // Within a step they go one after the other as well.
      next.value.depart(Math.floor(this.#engine.random.next() * DRAIN_STEP_MS));
      return true;
    }
    return false;
  }

  /** Behind the window, at the same pace: they come back from the close at its end. */
  #giveLateSlots(): void {
    const { drainConnectsPerSecond: perSecond } = this.#engine.options;
    const leftMs = this.#windowMs - this.#elapsedMs;
    let late = 0;
    for (const connection of this.#engine.connections.values()) {
      if (!connection.isClient || connection.isLeaving) continue;
      late++;
      connection.depart(Math.ceil(leftMs + (perSecond > 0 ? (late * 1_000) / perSecond : 0)));
    }
    if (late === 0) return;
    this.#engine.observers.warned(
      `${late} of ${this.#clients} clients wait without a connection for their slots: ` +
        `drainConnectsPerSecond (${perSecond}) is too low, or drainWindowMs (${this.#windowMs}) too short.`,
    );
  }

  async #waitUntil(endMs: number): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- it looks again and again
    while (this.#elapsedMs < endMs && this.#hasClients()) await this.#pause();
  }

  #hasClients(): boolean {
    for (const connection of this.#engine.connections.values()) if (connection.isClient) return true;
    return false;
  }

  /** Until the next step, or until nobody is left. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, DRAIN_STEP_MS);
      this.#wake = () => {
        this.#clock.clearTimer(timer);
        resolve();
      };
    });
  }

  #report(): DrainReport {
    const { drainConnectsPerSecond: perSecond } = this.#engine.options;
    const { count: left, peakPerSecond } = this.#leaves;
    return {
      ...this.#facts,
      left,
      stayed: countClients(this.#engine),
      durationMs: this.#elapsedMs,
      peakPerSecond,
      perSecond,
    };
  }
}

function countClients({ connections }: Engine): number {
  let count = 0;
  for (const connection of connections.values()) count += Number(connection.isClient);
  return count;
}

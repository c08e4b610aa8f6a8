import type { Clock } from './clock.interface.js';
import type { Connection } from './connection.js';
import type { Engine } from './engine.js';
import { LeaveTimes } from './leave-times.js';
import type { DrainReport, ObservedDrain } from './observer.interface.js';

/** How often the next ones are told. */
export const DRAIN_STEP_MS = 50;

/** What the last slots leave of the window: to connect elsewhere and to settle what is in flight. */
const REST_PART = 0.25;
export const DRAIN_REST_MS = 5_000;

/** Of the budget that all nodes share. No event begins like this. */
const BUDGET = { name: '$drain', principal: '*' } as const;

/** A time in which so many clients get their slots. There is another one when a drain has to hurry. */
interface Span {
  readonly startedAt: number;
  readonly ms: number;
  readonly clients: number;
}

/** Moves the clients of a node to others: each is told to go in a slot of its own, and is served until it has gone. */
export class Drain {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #leaves = new LeaveTimes();
  /** Clients that have not ended. Nobody comes any more. */
  readonly #here = new Set<Connection>();
  /** Those that were told nothing yet, in the order in which they are. */
  readonly #waiting: Connection[];
  /** Clients that there were. */
  readonly #clients: number;
  readonly #windowMs: number;
  #span: Span;
  #lastTold: () => void;
  /** Of the current span. */
  #told = 0;
  readonly #late = new Set<Connection>();
  #isSpending = false;
  /** Ends the pause before its time. */
  #wake?: () => void;

  /** @param lastTold - called when nobody else gets a slot within the window */
  constructor(engine: Engine, windowMs: number, lastTold: () => void) {
    this.#engine = engine;
    this.#clock = engine.clock;
    this.#windowMs = windowMs;
    this.#lastTold = lastTold;
    this.#startedAt = engine.clock.now();
    for (const connection of engine.connections.values()) if (connection.isClient) this.#here.add(connection);
    this.#waiting = [...this.#here];
    this.#clients = this.#here.size;
    this.#span = { startedAt: this.#startedAt, ms: windowMs, clients: this.#clients };
  }

  get facts(): ObservedDrain {
    return { clients: this.#clients, windowMs: this.#windowMs };
  }

  /** Resolves when no client is left, at the latest at the end of the window. */
  async run(): Promise<DrainReport> {
    while (this.#spanMs < this.#slotsMs && this.#here.size > 0) {
      this.#giveSlots();
      // One step after the other.
      // oxlint-disable-next-line no-await-in-loop
      await this.#pause();
    }
    this.#giveLateSlots();
    this.#lastTold();
    // oxlint-disable-next-line no-await-in-loop -- it looks again and again
    while (this.#spanMs < this.#span.ms && this.#here.size > 0) await this.#pause();
    return this.#report();
  }

  /** No longer than so many milliseconds from now on: there is less time than there seemed to be. */
  hurry(windowMs: number, lastTold: () => void): void {
    this.#lastTold = lastTold;
    if (this.#span.ms - this.#spanMs <= windowMs) return;
    // Who waits for a slot gets one within what is left, as evenly as before.
    this.#span = { startedAt: this.#clock.now(), ms: windowMs, clients: this.#waiting.length };
    this.#told = 0;
  }

  /** A connection has ended. */
  forget(connection: Connection): void {
    if (!this.#here.delete(connection)) return;
    this.#late.delete(connection);
    if (connection.isLeaving) this.#leaves.add(this.#elapsedMs);
    if (this.#here.size === 0) this.#wake?.();
  }

  get #elapsedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  /** How much of the span is over. */
  get #spanMs(): number {
    return this.#clock.now() - this.#span.startedAt;
  }

  /** How long slots are given in it. */
  get #slotsMs(): number {
    const { ms } = this.#span;
    return ms - Math.min(ms * REST_PART, DRAIN_REST_MS);
  }

  #giveSlots(): void {
    const { drainConnectsPerSecond: perSecond } = this.#engine.options;
    if (perSecond === 0) this.#spread();
    // A store that is slow or silent must not hold the window up.
    else if (!this.#isSpending) void this.#spend(perSecond);
  }

  /** As many as are due by now, of all evenly. */
  #spread(): void {
    const due = Math.ceil((this.#span.clients * (this.#spanMs + DRAIN_STEP_MS)) / this.#slotsMs);
    for (let next = this.#next(due - this.#told); next; next = this.#next(due - this.#told)) this.#tell(next);
  }

  /** As many as the nodes may tell together. */
  async #spend(perSecond: number): Promise<void> {
    const points = Math.ceil((perSecond * DRAIN_STEP_MS) / 1_000);
    const rule = { points, perMs: (points / perSecond) * 1_000 };
    this.#isSpending = true;
    try {
      for (let next = this.#next(1); next; next = this.#next(1)) {
        // It waits as the others do until there is a point for it.
        this.#waiting.unshift(next);
        // oxlint-disable-next-line no-await-in-loop
        const waitMs = await this.#engine.principalRates.take(BUDGET, rule);
        if (waitMs > 0 || this.#waiting[0] !== next) return;
        this.#waiting.shift();
        this.#tell(next);
      }
    } catch (error) {
      this.#engine.observers.failed({ where: 'the budget of a drain', error });
    } finally {
      this.#isSpending = false;
    }
  }

  /**
   * The next one that can be told: it is still there, has said `$hello`, without which it would not understand, and was
   * not told already. `undefined` where there is none now, or none is wanted.
   */
  #next(wanted: number): Connection | undefined {
    for (let looks = wanted > 0 ? this.#waiting.length : 0; looks > 0; looks--) {
      const next = this.#waiting.shift() as Connection;
      if (!next.isClient || next.isLeaving) continue;
      if (next.greeted) return next;
      this.#waiting.push(next);
    }
    return undefined;
  }

  #tell(connection: Connection): void {
    this.#told++;
    // Within a step they go one after the other as well.
    if (connection.isClient) connection.depart(Math.floor(this.#engine.random.next() * DRAIN_STEP_MS));
  }

  /** Behind the window, at the pace of this node: they come back from the close at its end. */
  #giveLateSlots(): void {
    const windowMs = this.#span.ms;
    if (windowMs === 0) return;
    const { drainConnectsPerSecond: perSecond } = this.#engine.options;
    const leftMs = windowMs - this.#spanMs;
    for (const connection of this.#waiting.splice(0)) {
      if (!connection.isClient || connection.isLeaving) continue;
      this.#late.add(connection);
      connection.depart(Math.ceil(leftMs + (perSecond > 0 ? (this.#late.size * 1_000) / perSecond : 0)));
    }
    const late = this.#late.size;
    if (late === 0) return;
    const budget = perSecond > 0 ? `, or drainConnectsPerSecond (${perSecond})` : '';
    this.#engine.observers.warned(
      `${late} of ${this.#clients} clients wait without a connection for their slots: raise drainWindowMs ` +
        `(${windowMs})${budget}.`,
    );
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
    const stayed = this.#here.size;
    const late = this.#late.size;
    const windowMs = this.#span.startedAt - this.#startedAt + this.#span.ms;
    return {
      ...this.facts,
      windowMs,
      left,
      stayed,
      late,
      durationMs: this.#elapsedMs,
      peakPerSecond,
      perSecond,
    };
  }
}

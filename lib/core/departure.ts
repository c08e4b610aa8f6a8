import { CLOSE_CODES } from '../protocol/index.js';
import type { Broker } from './broker.interface.js';
import type { Connection } from './connection.js';
import { Drain } from './drain.js';
import type { Engine } from './engine.js';
import { sayFarewell } from './farewell.js';
import type { DrainReport } from './observer.interface.js';
import type { WorkCounter } from './work-counter.js';

/** How long peers may take to answer the close of a shutdown, and what of it is left for `handleDisconnect`. */
const CLOSE_GRACE_MS = 1_000;
const DISCONNECT_GRACE_MS = 250;

/** What both get behind `shutdownTimeoutMs`. */
const GRACE_MS = 1_500;

/** What both get where the drain has used that up: with the default window all is done within 5 s. */
const LEAST_GRACE_MS = 750;

/** What the farewell to other nodes gets in any case. */
const TELL_GRACE_MS = 500;

/**
 * - `staying`: it takes peers on
 * - `draining`: no new ones; those that are there are served, and told to go elsewhere
 * - `closing`: no new messages; handlers that run may finish, then everybody is closed
 */
type Phase = 'staying' | 'draining' | 'closing';

export interface DepartureParts {
  readonly engine: Engine;
  readonly broker: Broker;
  /** Code of the application that runs. */
  readonly work: WorkCounter;
  /** Connections that have not ended. */
  readonly open: WorkCounter;
  /** Nothing is looked after any more. */
  readonly stop: () => void;
}

/** How a node goes. */
export class Departure {
  #phase: Phase = 'staying';
  #drain?: Drain;
  #drained?: Promise<DrainReport>;
  #ended?: Promise<void>;

  constructor(private readonly parts: DepartureParts) {}

  get isDraining(): boolean {
    return this.#phase !== 'staying';
  }

  get isClosing(): boolean {
    return this.#phase === 'closing';
  }

  /** A connection has ended. */
  forget(connection: Connection): void {
    this.#drain?.forget(connection);
  }

  /** Ends handshakes, and moves the clients to other nodes. A second call gives what the first one does. */
  drain(windowMs: number): Promise<DrainReport> {
    return (this.#drained ??= this.#run(windowMs, () => undefined));
  }

  /** May be called twice. */
  shutdown(): Promise<void> {
    return (this.#ended ??= this.#shutDown());
  }

  async #run(windowMs: number, lastTold: () => void): Promise<DrainReport> {
    const { engine } = this.parts;
    this.#phase = 'draining';
    this.#drain = new Drain(engine, windowMs, lastTold);
    engine.observers.draining(this.#drain.facts);
    const report = await this.#drain.run();
    engine.observers.drained(report);
    return report;
  }

  async #shutDown(): Promise<void> {
    const { engine, work, open } = this.parts;
    const { clock, options } = engine;
    const { drainWindowMs, shutdownTimeoutMs } = options;
    const handlersEndAt = clock.now() + shutdownTimeoutMs;
    const close = (): void => this.#close();
    // One that has been asked for before may have more time than there is now.
    this.#drain?.hurry(drainWindowMs, close);
    await (this.#drained ??= this.#run(drainWindowMs, close));
    close();
    const deadline = Math.max(handlersEndAt + GRACE_MS, clock.now() + LEAST_GRACE_MS);
    await work.idle(Math.max(handlersEndAt - clock.now(), 0));
    const { code, reason } = CLOSE_CODES.ServiceRestart;
    for (const connection of engine.connections.values()) connection.close(code, reason);
    await open.idle(Math.min(CLOSE_GRACE_MS, deadline - DISCONNECT_GRACE_MS - clock.now()));
    for (const connection of engine.connections.values()) connection.terminate(code, reason);
    await this.#disconnected(deadline);
    this.parts.stop();
    await sayFarewell(engine, this.parts.broker, Math.max(deadline - clock.now(), TELL_GRACE_MS));
    engine.observers.stopped();
  }

  #close(): void {
    this.#phase = 'closing';
    this.parts.engine.parkedLanes.release();
  }

  /** Waits for `handleDisconnect`, which follows the end of a transport by a turn or more. */
  async #disconnected(deadline: number): Promise<void> {
    const { engine, work, open } = this.parts;
    await open.idle(deadline - engine.clock.now());
    await work.idle(deadline - engine.clock.now());
  }
}

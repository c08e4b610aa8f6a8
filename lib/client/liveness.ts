import type { ClientClock } from './clock.interface.js';

/** How long the server may take to give a sign of life after a {@link Liveness.probe}, in milliseconds. */
export const PROBE_TIMEOUT_MS = 10_000;

interface LivenessEvents {
  ping(): void;
  silent(): void;
}

/**
 * Watches one connection by one timer: asks for a sign of life where nothing was sent for the interval,
 * and tells when nothing was heard for the timeout (docs/protocol.md, section 7).
 */
export class Liveness {
  #heardAt: number;
  #sentAt: number;
  #probeEndsAt = Infinity;
  #timer: object | undefined;

  constructor(
    private readonly clock: ClientClock,
    private readonly intervalMs: number,
    private readonly timeoutMs: number,
    private readonly events: LivenessEvents,
  ) {
    this.#heardAt = this.#sentAt = clock.now();
    this.#arm();
  }

  heard(): void {
    this.#heardAt = this.clock.now();
    this.#probeEndsAt = Infinity;
  }

  sent(): void {
    this.#sentAt = this.clock.now();
  }

  /** Pings now, and takes silence until {@link PROBE_TIMEOUT_MS} for the end of the connection. */
  probe(): void {
    this.#probeEndsAt = Math.min(this.#probeEndsAt, this.clock.now() + PROBE_TIMEOUT_MS);
    this.events.ping();
    this.#arm();
  }

  stop(): void {
    if (this.#timer) this.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  get #silentAt(): number {
    const silentAt = this.timeoutMs > 0 ? this.#heardAt + this.timeoutMs : Infinity;
    return Math.min(silentAt, this.#probeEndsAt);
  }

  get #pingAt(): number {
    return this.intervalMs > 0 ? this.#sentAt + this.intervalMs : Infinity;
  }

  #arm(): void {
    this.stop();
    const dueAt = Math.min(this.#silentAt, this.#pingAt);
    if (dueAt === Infinity) return;
    this.#timer = this.clock.setTimeout(() => this.#check(), Math.max(0, dueAt - this.clock.now()));
  }

  #check(): void {
    const now = this.clock.now();
    if (now >= this.#silentAt) {
      this.stop();
      this.events.silent();
      return;
    }
    if (now >= this.#pingAt) {
      this.#sentAt = now;
      this.events.ping();
    }
    this.#arm();
  }
}

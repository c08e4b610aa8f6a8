import { CLOSE_CODES } from '../protocol/index.js';
import type { Clock } from './clock.interface.js';
import type { Connection } from './connection.js';
import { dismiss } from './dismiss.js';
import type { ResolvedOptions } from './options.js';
import type { Random } from './random.interface.js';

/** What a slow link is trusted to carry: docs/protocol.md, section 7. */
export const SLOW_LINK_BYTES_PER_MS = (16 * 1_024) / 1_000;

/** Connections that were opened together are not renewed together. */
const YOUNGEST = 0.9;
const AGE_SPAN = 0.2;

/** A ping is due at this part of the interval at the earliest, so that pings spread. */
const EARLIEST_PING = 0.8;

/**
 * What a sweep that comes late counts for. While the process stood still it did not listen: what
 * peers have said meanwhile waits in the kernel, and is read after the sweep.
 */
const MAX_STEP_TICKS = 2;

/**
 * What a peer that was never heard has to answer the close of `idleTimeoutMs`. It has shown no sign of life yet;
 * others have as long as any close gives them.
 */
const MUTE_GRACE_MS = 250;

/** Before the first sweep that has found a connection. */
const NEVER = -1;

/**
 * Looks after all connections from one sweep: pings the quiet, reaps the silent. What a connection
 * has read and written is read off its transport, so that a message costs nothing here. Therefore
 * everything happened, for all that is known, up to one tick before the sweep that has found it.
 */
export class Heartbeat {
  readonly #connections = new Set<Connection>();
  /** Time in which the process has listened; all times of a pulse are of this kind. */
  #time = 0;
  #sweptAt: number;
  /** Found idle by this sweep, without ever having been heard. */
  #mute: Connection[] = [];

  constructor(
    private readonly options: ResolvedOptions,
    private readonly clock: Clock,
    private readonly random: Random,
    /** How often {@link sweep} is called. */
    private readonly tickMs: number,
  ) {
    this.#sweptAt = clock.now();
  }

  /** Those that it looks after. */
  get size(): number {
    return this.#connections.size;
  }

  /** The next sweep finds it, as if both sides had just said something. */
  add(connection: Connection): void {
    const { pulse, transport } = connection;
    pulse.heardAt = NEVER;
    pulse.bytesAtStart = pulse.bytesRead = transport.bytesRead;
    pulse.bytesWritten = transport.bytesWritten;
    // What `handleConnection` has sent is on its way still.
    pulse.bytesAtHeard = 0;
    pulse.pingAfterMs = this.#drawPing();
    pulse.maxAgeMs = this.#drawAge();
    this.#connections.add(connection);
  }

  delete(connection: Connection): void {
    this.#connections.delete(connection);
  }

  sweep(now: number): void {
    this.#time += Math.min(now - this.#sweptAt, MAX_STEP_TICKS * this.tickMs);
    this.#sweptAt = now;
    for (const connection of this.#connections) {
      this.#listen(connection);
      if (this.#isSilent(connection)) {
        const { code, reason } = CLOSE_CODES.HeartbeatMissed;
        connection.terminate(code, reason);
      } else if (this.#isIdle(connection)) {
        this.#closeIdle(connection);
      } else if (this.#isOld(connection)) {
        this.#renew(connection);
      } else if (this.#isPingDue(connection)) {
        this.#ping(connection);
      }
    }
    dismiss(this.#mute.splice(0), this.clock, CLOSE_CODES.IdleTimeout, MUTE_GRACE_MS);
  }

  #closeIdle(connection: Connection): void {
    if (!connection.writable) return;
    const { bytesRead, bytesAtStart } = connection.pulse;
    const { code, reason } = CLOSE_CODES.IdleTimeout;
    if (bytesRead === bytesAtStart) this.#mute.push(connection);
    else connection.close(code, reason);
  }

  /** Any byte read is life, whole frame or not. */
  #listen(connection: Connection): void {
    const { pulse, transport } = connection;
    const { bytesRead, bytesWritten } = transport;
    if (pulse.heardAt === NEVER) pulse.heardAt = pulse.sentAt = pulse.spokeAt = this.#time;
    if (bytesRead !== pulse.bytesRead) {
      pulse.bytesRead = bytesRead;
      pulse.heardAt = this.#time;
      // What was written in this tick may have been written after the peer was heard.
      pulse.bytesAtHeard = pulse.bytesWritten;
    }
    if (bytesWritten !== pulse.bytesWritten) {
      pulse.bytesWritten = bytesWritten;
      pulse.sentAt = this.#time;
    }
    if (connection.spoke) {
      connection.spoke = false;
      pulse.spokeAt = this.#time;
    }
  }

  /** Behind a slow link a pong waits its turn: what was written since the peer was heard buys time. */
  #isSilent({ pulse }: Connection): boolean {
    const { heartbeatTimeoutMs, drainTimeoutMs } = this.options;
    if (heartbeatTimeoutMs === 0) return false;
    const silentMs = this.#time - pulse.heardAt;
    if (silentMs < heartbeatTimeoutMs) return false;
    const drainMs = (pulse.bytesWritten - pulse.bytesAtHeard) / SLOW_LINK_BYTES_PER_MS;
    return silentMs >= Math.min(heartbeatTimeoutMs + drainMs, drainTimeoutMs);
  }

  #isIdle({ pulse }: Connection): boolean {
    const { idleTimeoutMs } = this.options;
    return idleTimeoutMs > 0 && this.#time - pulse.spokeAt >= idleTimeoutMs;
  }

  #drawAge(): number {
    const { maxConnectionAgeMs: age } = this.options;
    return age > 0 ? age * (YOUNGEST + AGE_SPAN * this.random.next()) : Infinity;
  }

  /** A node that goes away sees to its connections by itself. */
  #isOld(connection: Connection): boolean {
    const { maxAgeMs } = connection.pulse;
    // Most applications have no such bound, and pay for no look at the clock.
    return maxAgeMs < Infinity && connection.ageMs >= maxAgeMs && !connection.engine.draining;
  }

  /** One that has not gone in time, or cannot be told, is closed. */
  #renew(connection: Connection): void {
    const { code, reason } = CLOSE_CODES.ServiceRestart;
    connection.pulse.maxAgeMs = connection.ageMs + this.options.drainWindowMs;
    if (!connection.isClient || connection.isLeaving) connection.close(code, reason);
    else connection.depart(0);
  }

  /** Nothing was sent, or nothing heard, for the time that was drawn. The sweep nearest to it counts. */
  #isPingDue({ pulse }: Connection): boolean {
    if (this.options.heartbeatIntervalMs === 0) return false;
    const quietSince = Math.max(pulse.pingedAt, Math.min(pulse.sentAt, pulse.heardAt));
    return this.#time - quietSince >= pulse.pingAfterMs - this.tickMs / 2;
  }

  #ping(connection: Connection): void {
    connection.pulse.pingedAt = this.#time;
    connection.pulse.pingAfterMs = this.#drawPing();
    if (connection.wantsPingFrames) connection.sendEvent('$ping');
    else connection.transport.probe();
  }

  /**
   * A whole number of ticks, counted from the sweep that has found the connection quiet: then it has
   * been quiet for up to one tick already, which the latest one leaves room for.
   */
  #drawPing(): number {
    const ticks = this.options.heartbeatIntervalMs / this.tickMs;
    const first = Math.ceil(EARLIEST_PING * ticks);
    const last = Math.floor(ticks) - 1;
    return this.tickMs * (first + Math.floor(this.random.next() * (last - first + 1)));
  }
}

import { CLOSE_CODES } from '../protocol/index.js';
import type { Clock } from './clock.interface.js';
import type { Connection } from './connection.js';
import type { ResolvedOptions } from './options.js';
import type { Random } from './random.interface.js';

/** What a slow link is trusted to carry: docs/protocol.md, section 7. */
export const SLOW_LINK_BYTES_PER_MS = (16 * 1_024) / 1_000;

/** A ping is due at this part of the interval at the earliest, so that pings spread. */
const EARLIEST_PING = 0.8;

/**
 * Looks after all connections from one sweep: pings the quiet, reaps the silent. What a connection
 * has read and written is read off its transport, so that a message costs nothing here.
 */
export class Heartbeat {
  readonly #connections = new Set<Connection>();

  constructor(
    private readonly options: ResolvedOptions,
    private readonly clock: Clock,
    private readonly random: Random,
    /** How often {@link sweep} is called. */
    private readonly tickMs: number,
  ) {}

  add(connection: Connection): void {
    const now = this.clock.now();
    const { pulse, transport } = connection;
    pulse.heardAt = pulse.sentAt = pulse.spokeAt = pulse.pingedAt = now;
    pulse.bytesRead = transport.bytesRead;
    pulse.bytesWritten = pulse.bytesAtHeard = transport.bytesWritten;
    pulse.pingAfterMs = this.#drawPing();
    this.#connections.add(connection);
  }

  delete(connection: Connection): void {
    this.#connections.delete(connection);
  }

  sweep(now: number): void {
    for (const connection of this.#connections) {
      this.#listen(connection, now);
      if (this.#isSilent(connection, now)) {
        const { code, reason } = CLOSE_CODES.HeartbeatMissed;
        connection.terminate(code, reason);
      } else if (this.#isIdle(connection, now)) {
        const { code, reason } = CLOSE_CODES.IdleTimeout;
        connection.close(code, reason);
      } else if (this.#isPingDue(connection, now)) {
        this.#ping(connection, now);
      }
    }
  }

  /** Any byte read is life, whole frame or not. */
  #listen(connection: Connection, now: number): void {
    const { pulse, transport } = connection;
    const { bytesRead, bytesWritten } = transport;
    if (bytesRead !== pulse.bytesRead) {
      pulse.bytesRead = bytesRead;
      pulse.heardAt = now;
      pulse.bytesAtHeard = bytesWritten;
    }
    if (bytesWritten !== pulse.bytesWritten) {
      pulse.bytesWritten = bytesWritten;
      pulse.sentAt = now;
    }
    if (connection.spoke) {
      connection.spoke = false;
      pulse.spokeAt = now;
    }
  }

  /** Behind a slow link a pong waits its turn: what was written since the peer was heard buys time. */
  #isSilent({ pulse }: Connection, now: number): boolean {
    const { heartbeatTimeoutMs, drainTimeoutMs } = this.options;
    if (heartbeatTimeoutMs === 0) return false;
    const silentMs = now - pulse.heardAt;
    if (silentMs < heartbeatTimeoutMs) return false;
    const drainMs = (pulse.bytesWritten - pulse.bytesAtHeard) / SLOW_LINK_BYTES_PER_MS;
    return silentMs >= Math.min(heartbeatTimeoutMs + drainMs, drainTimeoutMs);
  }

  #isIdle({ pulse }: Connection, now: number): boolean {
    const { idleTimeoutMs } = this.options;
    return idleTimeoutMs > 0 && now - pulse.spokeAt >= idleTimeoutMs;
  }

  /** Due when nothing was sent, or nothing heard, for the drawn time; never after it, so a tick early. */
  #isPingDue({ pulse }: Connection, now: number): boolean {
    if (this.options.heartbeatIntervalMs === 0) return false;
    const quietSince = Math.max(pulse.pingedAt, Math.min(pulse.sentAt, pulse.heardAt));
    return now + this.tickMs > quietSince + pulse.pingAfterMs;
  }

  #ping(connection: Connection, now: number): void {
    connection.pulse.pingedAt = now;
    connection.pulse.pingAfterMs = this.#drawPing();
    if (connection.wantsPingFrames) connection.sendEvent('$ping');
    else connection.transport.probe();
  }

  #drawPing(): number {
    const share = EARLIEST_PING + (1 - EARLIEST_PING) * this.random.next();
    return this.options.heartbeatIntervalMs * share;
  }
}

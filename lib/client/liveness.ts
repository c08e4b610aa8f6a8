import { MAX_TIMER_MS } from './client-options.js';
import type { ClientClock } from './clock.interface.js';

/** How long the server may take to give a sign of life after a {@link Liveness.probe}, in milliseconds. */
export const PROBE_TIMEOUT_MS = 10_000;

export interface LivenessRules {
  readonly clock: ClientClock;
  /** Nothing sent for this long asks for a sign of life; 0 never. */
  readonly intervalMs: number;
  /** Nothing heard for this long is the end; 0 never. */
  readonly timeoutMs: number;
  readonly ping: () => void;
  readonly silent: () => void;
}

export interface Liveness {
  heard(): void;
  sent(): void;
  /** Pings now, and takes silence until {@link PROBE_TIMEOUT_MS} for the end of the connection. */
  probe(): void;
  stop(): void;
}

/** Watches one connection by one timer, docs/protocol.md section 7. */
export function watchLiveness({ clock, intervalMs, timeoutMs, ping, silent }: LivenessRules): Liveness {
  let heardAt = clock.now();
  let sentAt = heardAt;
  let probeEndsAt = Infinity;
  let timer: unknown;

  const silentAt = (): number => Math.min(timeoutMs ? heardAt + timeoutMs : Infinity, probeEndsAt);
  const pingAt = (): number => (intervalMs ? sentAt + intervalMs : Infinity);
  const stop = (): void => clock.clearTimer(timer);
  const arm = (): void => {
    stop();
    const dueAt = Math.min(silentAt(), pingAt());
    if (dueAt < Infinity) timer = clock.setTimeout(check, Math.min(dueAt - clock.now(), MAX_TIMER_MS));
  };
  const check = (): void => {
    if (clock.now() >= silentAt()) return silent();
    if (clock.now() >= pingAt()) {
      // Also when the socket takes nothing more: one ping is enough.
      sentAt = clock.now();
      ping();
    }
    arm();
  };
  arm();

  return {
    heard: () => {
      heardAt = clock.now();
      probeEndsAt = Infinity;
    },
    sent: () => (sentAt = clock.now()),
    probe: () => {
      probeEndsAt = Math.min(probeEndsAt, clock.now() + PROBE_TIMEOUT_MS);
      ping();
      arm();
    },
    stop,
  };
}

import type { Engine } from '../../core/engine.js';
import type { ResolvedOptions } from '../../core/options.js';
import type { RefusalReason } from '../../core/observer.interface.js';
import { type HandshakeRefusal, LimitRefusal } from './refusal.js';

/** Who is welcome in a moment comes back after it. */
const MOMENT_MS = 1_000;

/** Handshakes that wait for their guards: so many at the same time, and each only so long. */
export class PendingUpgrades {
  readonly #waiting = new Set<AbortController>();

  constructor(private readonly engine: Engine) {
    engine.tables.add('upgrades', () => this.#waiting.size);
  }

  /** @throws HandshakeRefusal (503) when there is no room */
  checkRoom(): void {
    const { options } = this.engine;
    if (this.#waiting.size >= options.maxPendingUpgrades) throw tooManyAtOnce(options);
  }

  /** @throws HandshakeRefusal (503) as {@link checkRoom}, when the time is up, or by {@link refuse} */
  async wait<T>(admit: () => Promise<T>): Promise<T> {
    const { clock, options } = this.engine;
    const { handshakeTimeoutMs } = options;
    this.checkRoom();
    const wait = new AbortController();
    const timer = clock.setTimeout(() => wait.abort(tooLate(handshakeTimeoutMs)), handshakeTimeoutMs);
    this.#waiting.add(wait);
    try {
      return await Promise.race([admit(), refused(wait.signal)]);
    } finally {
      this.#waiting.delete(wait);
      clock.clearTimer(timer);
    }
  }

  /** Waits no longer, whatever the guards will say. */
  refuse(refusal: HandshakeRefusal): void {
    for (const wait of this.#waiting) wait.abort(refusal);
  }
}

export function tooManyAtOnce({ maxPendingUpgrades }: ResolvedOptions): HandshakeRefusal {
  return tryAgain('pending', 'too many handshakes at once', `maxPendingUpgrades (${maxPendingUpgrades})`);
}

/** A refusal of somebody who will be welcome in a moment. */
export function tryAgain(reason: RefusalReason, message: string, advice?: string): HandshakeRefusal {
  return new LimitRefusal(reason, { status: 503, message, retryAfterMs: MOMENT_MS, advice });
}

function refused(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function tooLate(timeoutMs: number): HandshakeRefusal {
  return tryAgain(
    'failure',
    'the handshake took too long',
    `the handshake guards took longer than handshakeTimeoutMs (${timeoutMs})`,
  );
}

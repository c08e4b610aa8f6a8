import type { Engine } from '../../core/engine.js';
import { HandshakeRefusal, defaultBody } from './refusal.js';

/** Handshakes that wait for their guards: so many at the same time, and each only so long. */
export class PendingUpgrades {
  readonly #waiting = new Set<AbortController>();

  constructor(private readonly engine: Engine) {
    engine.tables.add('upgrades', () => this.#waiting.size);
  }

  /** @throws HandshakeRefusal (503) when there is no room, when the time is up, or by {@link refuse} */
  async wait<T>(admit: () => Promise<T>): Promise<T> {
    const { clock, options } = this.engine;
    const { maxPendingUpgrades, handshakeTimeoutMs } = options;
    if (this.#waiting.size >= maxPendingUpgrades) throw tryAgain('too many handshakes at once');
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

/** A refusal of somebody who will be welcome in a moment. */
export function tryAgain(message: string, advice?: string): HandshakeRefusal {
  return new HandshakeRefusal(503, defaultBody(503, message), { 'Retry-After': '1' }, advice);
}

function refused(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function tooLate(timeoutMs: number): HandshakeRefusal {
  return tryAgain(
    'the handshake took too long',
    `the handshake guards took longer than handshakeTimeoutMs (${timeoutMs})`,
  );
}

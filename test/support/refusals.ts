import type { Failure, Observer, Refusal } from 'nestjs-channels';
import { HandshakeRefused } from 'nestjs-channels/testing';

/** Keeps the facts of refused handshakes. */
export interface RefusalRecorder {
  /** For the option `observers`. */
  readonly observer: Observer;
  readonly refusals: readonly Refusal[];
  readonly failures: readonly Failure[];
}

export function recordRefusals(): RefusalRecorder {
  const refusals: Refusal[] = [];
  const failures: Failure[] = [];
  const observer: Observer = {
    refused: (refusal) => void refusals.push(refusal),
    failed: (failure) => void failures.push(failure),
  };
  return { observer, refusals, failures };
}

/** The HTTP response of a refused handshake; fails the test where there was none. */
export async function refusalOf(connecting: Promise<AsyncDisposable>): Promise<HandshakeRefused> {
  const outcome = await connecting.catch((error: unknown) => error);
  if (outcome instanceof HandshakeRefused) return outcome;
  throw new Error('the handshake was not refused with HTTP', { cause: outcome });
}

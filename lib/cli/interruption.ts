import { ExitCode } from './exit-code.js';

/** `npm exec` hands Ctrl-C on, so that it comes twice within milliseconds. */
const SAME_PRESS_MS = 1_000;

/** What of the process this needs. */
export interface Interruptible {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Aborts at the first SIGINT or SIGTERM, so that the command can tell what it has. One that comes later ends the
 * process at once.
 *
 * @param now - milliseconds from an arbitrary start
 */
export function abortOnSignals(target: Interruptible, now: () => number): AbortSignal {
  const controller = new AbortController();
  let abortedAt: number | undefined;
  const stop = (): void => {
    abortedAt ??= now();
    if (now() - abortedAt > SAME_PRESS_MS) target.exit(ExitCode.Interrupted);
    controller.abort();
  };
  target.on('SIGINT', stop);
  target.on('SIGTERM', stop);
  return controller.signal;
}

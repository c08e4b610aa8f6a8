import { ExitCode } from './exit-code.js';

/** `npm exec` hands Ctrl-C on, so that it comes twice within milliseconds. */
const SAME_PRESS_MS = 1_000;

type StopSignal = 'SIGINT' | 'SIGTERM';

/** Why an {@link AbortSignal} was aborted: somebody has stopped the command. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.exitCode = ExitCode[signal];
  }
}

/** What of the process this needs. */
export interface Interruptible {
  on(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Aborts at the first SIGINT or SIGTERM, for an {@link Interruption}, so that the command can tell what it has. One that comes later ends the
 * process at once.
 *
 * @param now - milliseconds from an arbitrary start
 */
export function abortOnSignals(target: Interruptible, now: () => number): AbortSignal {
  const controller = new AbortController();
  let abortedAt: number | undefined;
  const stop = (signal: StopSignal): void => {
    abortedAt ??= now();
    if (now() - abortedAt > SAME_PRESS_MS) target.exit(ExitCode[signal]);
    controller.abort(new Interruption(signal));
  };
  target.on('SIGINT', () => stop('SIGINT'));
  target.on('SIGTERM', () => stop('SIGTERM'));
  return controller.signal;
}

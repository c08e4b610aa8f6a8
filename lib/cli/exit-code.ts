/** How the command ends, for whoever has called it. */
export const ExitCode = {
  Done: 0,
  /** Nobody could connect, or the result was not written. */
  Failed: 1,
  /** What was typed cannot be used. */
  Usage: 2,
  /** Stopped by a signal, as shells tell it: 128 and the number of the signal. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;

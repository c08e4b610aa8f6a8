import { onTestFinished } from 'vitest';

/**
 * What reaches the process from now to the end of the test: unhandled rejections and uncaught
 * exceptions. Vitest's own listeners stay, so that such a fault fails the run as well.
 */
export function watchProcess(): readonly unknown[] {
  const faults: unknown[] = [];
  const note = (fault: unknown): void => void faults.push(fault);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  });
  return faults;
}

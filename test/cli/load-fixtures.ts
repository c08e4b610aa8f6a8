import { LoadFigures } from '../../lib/cli/load-figures.js';
import { parseLoadOptions, type LoadOptions } from '../../lib/cli/load-options.js';
import type { LoadOutcome } from '../../lib/cli/load-result.js';

/** Options as they are typed, behind a url. */
export function optionsOf(...args: readonly string[]): LoadOptions {
  const options = parseLoadOptions(['ws://127.0.0.1:3000/ws', ...args]);
  if (options === 'help') throw new Error('These are no options.');
  return options;
}

/** Figures of nothing, with those that a test is about. */
export function figuresOf(change: Partial<Pick<LoadFigures, 'sent' | 'unsent'>>): LoadFigures {
  return Object.assign(new LoadFigures(), change);
}

/** A run of ten seconds in which nothing was wrong. */
export const WHOLE: LoadOutcome = {
  startedAt: new Date(0),
  wasInterrupted: false,
  sendingMs: 10_000,
  receivedWhileSending: 250,
  openAtEnd: 3,
  deliveries: { expected: 200, missing: 1, toSenders: 100 },
  own: { eventLoopDelayP99Ms: 50, cpuPercent: 90, connecting: { eventLoopDelayP99Ms: 50, cpuPercent: 90 } },
};

import type { LoadFigures } from './load-figures.js';
import type { LoadOptions } from './load-options.js';
import type { LoadOutcome } from './load-result.js';
import type { OwnLoadSummary } from './own-load.js';

/** The event loop may be late by so much before the tool takes itself for too slow, in milliseconds (p99). */
const MAX_DELAY_MS = 50;

/** Of a core. A process that takes all of one measures itself, also where its event loop looks well. */
const MAX_CPU_PERCENT = 90;

/** Of the messages that were due so many have to be sent. */
const LEAST_SENT = 0.95;

const TOO_MANY_REQUESTS = 4429;

/** Sentences about what makes the figures doubtful, each with what to do. */
export function hintsFor(options: LoadOptions, figures: LoadFigures, outcome: LoadOutcome): string[] {
  return [
    ...ownHints(outcome),
    ...machineHints(figures),
    ...rateHints(options, figures, outcome),
    ...tokenHints(options, figures),
    ...textHints(options),
  ];
}

/** Each with the times that have its own time in them. */
function ownHints({ own: { connecting, ...sending } }: LoadOutcome): string[] {
  const [whileConnecting, whileSending] = [troubleOf(connecting), troubleOf(sending)];
  const hints: string[] = [];
  if (whileConnecting !== undefined)
    hints.push(
      `This tool was too slow while it connected: ${whileConnecting}. Its own time is in those of connects and joins; lower --ramp, or spread the load over several runs.`,
    );
  if (whileSending !== undefined)
    hints.push(
      `This tool was too slow: ${whileSending}. Its own time is in the figures; spread the load over several runs.`,
    );
  return hints;
}

function troubleOf({ eventLoopDelayP99Ms, cpuPercent }: OwnLoadSummary): string | undefined {
  if (eventLoopDelayP99Ms > MAX_DELAY_MS)
    return `its event loop was ${eventLoopDelayP99Ms} ms late (p99, over ${MAX_DELAY_MS} ms)`;
  return cpuPercent > MAX_CPU_PERCENT ? `it took ${cpuPercent} % of a core` : undefined;
}

function machineHints({ causes }: LoadFigures): string[] {
  const hints: string[] = [];
  if (causes.has('EMFILE')) hints.push('This tool had no more files (EMFILE): raise ulimit -n.');
  if (causes.has('EADDRNOTAVAIL'))
    hints.push('This machine had no more local ports (EADDRNOTAVAIL): run from another address as well.');
  return hints;
}

/** A run that was stopped is measured by the time that it had. */
function rateHints(options: LoadOptions, figures: LoadFigures, { sendingMs }: LoadOutcome): string[] {
  const { event, messagesPerSecond } = options;
  const wanted = Math.floor((messagesPerSecond * sendingMs) / 1_000);
  if (event === undefined || figures.sent >= wanted * LEAST_SENT - 1) return [];
  const why =
    figures.sent + figures.unsent >= wanted * LEAST_SENT - 1
      ? 'nobody was in a channel to send the others, or too many had no answer yet'
      : 'this tool had no time for the others';
  return [
    `${figures.sent} of ${wanted} messages were sent: ${why}. Take the figures for the rate that was reached.`,
  ];
}

function tokenHints({ tokens }: LoadOptions, { refused }: LoadFigures): string[] {
  if (tokens.length === 0 || !refused.has(TOO_MANY_REQUESTS)) return [];
  return [
    'Connections were refused with 4429: one user may have 100 by default (maxConnectionsPerPrincipal). Give a --token-file with more users.',
  ];
}

function textHints({ event, template }: LoadOptions): string[] {
  if (event === undefined || template.hasText) return [];
  return ['There is no {text} in --data: publications are counted, and neither timed nor missed.'];
}

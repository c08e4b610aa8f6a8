import type { LoadFigures } from './load-figures.js';
import type { LoadPhase } from './load-run.js';

/** What there is so far, in one line. */
export function progressLine(phase: LoadPhase, openCount: number, figures: LoadFigures): string {
  const { joined, sent, answered, received, deliveryMs, answerMs, refused, lost, failed } = figures;
  const p99 = deliveryMs.percentile(99) ?? answerMs.percentile(99);
  return [
    phase,
    `${openCount} open`,
    `${joined} joined`,
    `${sent} sent`,
    `${answered} answered`,
    `${received} received`,
    ...(p99 === undefined ? [] : [`p99 ${p99.toFixed(1)} ms`]),
    `${refused.total + lost.total + failed.total} failures`,
  ].join('  ');
}

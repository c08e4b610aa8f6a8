import type { LoadResult } from './load-result.js';
import type { TimingSummary } from './timings.js';

const LABEL_WIDTH = 14;
const FIGURE_WIDTH = 10;

/** The result as people read it, on standard output. */
export function loadTable(result: LoadResult): string {
  const { tool } = result;
  const own = `event loop ${tool.eventLoopDelayP99Ms} ms late (p99), ${tool.cpuPercent} % of a core`;
  return [
    '',
    ...countLines(result),
    '',
    ...timingLines(result),
    '',
    line('this tool', own),
    ...codeLines(result),
    ...tool.hints.map((hint) => `! ${hint}`),
    '',
  ].join('\n');
}

function countLines({ options, connections, joins, messages, publications }: LoadResult): string[] {
  const { sentPerSecond, sentCount, answeredCount, failedCount, unansweredCount } = messages;
  const isSending = options.event !== null;
  return [
    line(
      'connections',
      `${n(connections.openedCount)} of ${n(options.connections)} opened`,
      `${n(connections.openAtEndCount)} open at the end`,
      `${n(connections.refusedCount)} refused`,
      `${n(connections.lostCount)} lost`,
      `${n(connections.cameBackCount)} came back`,
    ),
    line('joins', `${n(joins.joinedCount)}`, `${n(joins.refusedCount)} refused`),
    ...(isSending
      ? [
          line(
            'messages',
            `${n(sentCount)} sent (${n(sentPerSecond)}/s of ${n(options.messagesPerSecond)}/s)`,
            `${n(answeredCount)} answered`,
            `${n(failedCount)} failed`,
            `${n(unansweredCount)} without an answer`,
          ),
        ]
      : []),
    ...publicationLines(publications),
  ];
}

function publicationLines(publications: LoadResult['publications']): string[] {
  const { receivedCount, receivedPerSecond, deliveries, gapCount, droppedCount } = publications;
  const received = line(
    'publications',
    `${n(receivedCount)} received (${n(receivedPerSecond)}/s)`,
    `${n(gapCount)} gaps`,
    `${n(droppedCount)} dropped`,
  );
  if (!deliveries) return [received];
  const { expectedCount, missingCount, toSendersCount } = deliveries;
  return [
    received,
    line(
      'deliveries',
      `${n(expectedCount)} expected by others`,
      `${n(missingCount)} missing`,
      `${n(toSendersCount)} to the senders`,
    ),
  ];
}

function timingLines({ connections, joins, messages, publications }: LoadResult): string[] {
  const heading = ['count', 'p50', 'p95', 'p99', 'max'].map((name) => name.padStart(FIGURE_WIDTH)).join('');
  return [
    `${'ms'.padEnd(LABEL_WIDTH)}${heading}`,
    timingLine('connect', connections.connectMs),
    timingLine('join', joins.joinMs),
    timingLine('answer', messages.answerMs),
    timingLine('delivery', publications.deliveryMs),
  ];
}

function timingLine(label: string, { count, p50, p95, p99, max }: TimingSummary): string {
  const times = [p50, p95, p99, max].map((ms) => (ms === null ? '-' : ms.toFixed(1)));
  const figures = [n(count), ...times].map((text) => text.padStart(FIGURE_WIDTH)).join('');
  return `${label.padEnd(LABEL_WIDTH)}${figures}`;
}

function codeLines(result: LoadResult): string[] {
  return [
    codeLine('refused', result.connections.refusedByCode),
    codeLine('lost', result.connections.lostByCode),
    codeLine('joins refused', result.joins.refusedByCode),
    codeLine('failed', result.messages.failedByCode),
    codeLine('errors', result.errorsByCode),
    codeLine('sockets', result.socketErrorsByCode),
  ].flat();
}

/** Nothing where there is nothing to tell. */
function codeLine(label: string, counts: Readonly<Record<string, number>>): string[] {
  const parts = Object.entries(counts).map(([code, count]) => `${n(count)} × ${code}`);
  return parts.length === 0 ? [] : [line(label, ...parts)];
}

function line(label: string, ...parts: readonly string[]): string {
  return `${label.padEnd(LABEL_WIDTH)}${parts.join('   ')}`;
}

/** The same on every machine, whatever language it speaks. */
function n(value: number): string {
  return value.toLocaleString('en-US');
}

import type { LoadFigures } from './load-figures.js';
import { hintsFor } from './load-hints.js';
import type { LoadOptions } from './load-options.js';
import type { DeliveryTotals } from './marker-table.js';
import type { OwnLoadSummary } from './own-load.js';
import { packageVersion } from './package-version.js';
import { shownUrl } from './shown-url.js';
import type { TimingSummary } from './timings.js';

/** The number of the shape below. It grows when a field goes or changes its meaning. */
const SCHEMA_VERSION = 1;

type CountsByCode = Readonly<Record<string, number>>;

/** What `--json` writes; docs/load.md tells each field. Times are in milliseconds. */
export interface LoadResult {
  readonly schemaVersion: number;
  readonly packageVersion: string;
  readonly startedAt: string;
  readonly wasInterrupted: boolean;
  readonly options: LoadResultOptions;
  readonly connections: {
    readonly openedCount: number;
    readonly openAtEndCount: number;
    readonly refusedCount: number;
    readonly refusedByCode: CountsByCode;
    readonly lostCount: number;
    readonly lostByCode: CountsByCode;
    readonly cameBackCount: number;
    readonly connectMs: TimingSummary;
  };
  readonly joins: {
    readonly joinedCount: number;
    readonly refusedCount: number;
    readonly refusedByCode: CountsByCode;
    readonly joinMs: TimingSummary;
  };
  readonly messages: {
    readonly sentCount: number;
    readonly unsentCount: number;
    readonly answeredCount: number;
    readonly failedCount: number;
    readonly failedByCode: CountsByCode;
    readonly unansweredCount: number;
    readonly sentPerSecond: number;
    readonly answerMs: TimingSummary;
  };
  readonly publications: {
    readonly receivedCount: number;
    readonly receivedPerSecond: number;
    /** `null` where messages cannot be told when they arrive. */
    readonly deliveries: DeliveryCounts | null;
    readonly gapCount: number;
    readonly droppedCount: number;
    readonly deliveryMs: TimingSummary;
  };
  readonly errorsByCode: CountsByCode;
  readonly socketErrorsByCode: CountsByCode;
  readonly tool: LoadOutcome['own'] & { readonly hints: readonly string[] };
}

interface DeliveryCounts {
  readonly expectedCount: number;
  readonly missingCount: number;
  readonly toSendersCount: number;
}

/** The options of the run, without its tokens. */
interface LoadResultOptions {
  readonly url: string;
  readonly connections: number;
  readonly rooms: number;
  readonly channel: string;
  readonly channelsPerConnection: number;
  readonly event: string | null;
  readonly data: unknown;
  readonly messagesPerSecond: number;
  readonly durationMs: number;
  readonly connectsPerSecond: number;
  readonly tokens: number;
}

/** What a run knows when it is over, beside its options and figures. */
export interface LoadOutcome {
  readonly startedAt: Date;
  readonly wasInterrupted: boolean;
  /** How long messages were sent, and what had arrived by then. */
  readonly sendingMs: number;
  readonly receivedWhileSending: number;
  readonly openAtEnd: number;
  readonly deliveries: DeliveryTotals;
  /** While messages were sent; and while connections were opened and joined. */
  readonly own: OwnLoadSummary & { readonly connecting: OwnLoadSummary };
}

export function loadResult(options: LoadOptions, figures: LoadFigures, outcome: LoadOutcome): LoadResult {
  return {
    schemaVersion: SCHEMA_VERSION,
    packageVersion: packageVersion(),
    startedAt: outcome.startedAt.toISOString(),
    wasInterrupted: outcome.wasInterrupted,
    options: shownOptions(options),
    connections: connectionsOf(figures, outcome),
    joins: {
      joinedCount: figures.joined,
      refusedCount: figures.refusedJoins.total,
      refusedByCode: figures.refusedJoins.toJSON(),
      joinMs: figures.joinMs.summary(),
    },
    messages: messagesOf(figures, outcome),
    publications: publicationsOf(options, figures, outcome),
    errorsByCode: figures.errors.toJSON(),
    socketErrorsByCode: figures.causes.toJSON(),
    tool: { ...outcome.own, hints: hintsFor(options, figures, outcome) },
  };
}

/** Field by field, so that a token can never be among them. */
function shownOptions(options: LoadOptions): LoadResultOptions {
  return {
    url: shownUrl(options.url),
    connections: options.connections,
    rooms: options.rooms.length,
    channel: options.channel,
    channelsPerConnection: options.channelsPerConnection,
    event: options.event ?? null,
    data: options.event === undefined ? null : options.template.data,
    messagesPerSecond: options.messagesPerSecond,
    durationMs: options.durationMs,
    connectsPerSecond: options.connectsPerSecond,
    tokens: options.tokens.length,
  };
}

function connectionsOf(figures: LoadFigures, { openAtEnd }: LoadOutcome): LoadResult['connections'] {
  return {
    openedCount: figures.opened,
    openAtEndCount: openAtEnd,
    refusedCount: figures.refused.total,
    refusedByCode: figures.refused.toJSON(),
    lostCount: figures.lost.total,
    lostByCode: figures.lost.toJSON(),
    cameBackCount: figures.cameBack,
    connectMs: figures.connectMs.summary(),
  };
}

function messagesOf(figures: LoadFigures, { sendingMs }: LoadOutcome): LoadResult['messages'] {
  return {
    sentCount: figures.sent,
    unsentCount: figures.unsent,
    answeredCount: figures.answered,
    failedCount: figures.failed.total,
    failedByCode: figures.failed.toJSON(),
    unansweredCount: figures.unanswered,
    sentPerSecond: perSecond(figures.sent, sendingMs),
    answerMs: figures.answerMs.summary(),
  };
}

function publicationsOf(
  { event, template }: LoadOptions,
  figures: LoadFigures,
  { deliveries, receivedWhileSending, sendingMs }: LoadOutcome,
): LoadResult['publications'] {
  const { expected, missing, toSenders } = deliveries;
  const isTold = event !== undefined && template.hasText;
  return {
    receivedCount: figures.received,
    receivedPerSecond: perSecond(receivedWhileSending, sendingMs),
    deliveries: isTold ? { expectedCount: expected, missingCount: missing, toSendersCount: toSenders } : null,
    gapCount: figures.gaps,
    droppedCount: figures.dropped,
    deliveryMs: figures.deliveryMs.summary(),
  };
}

/** With one decimal; 0 where there was no time. */
export function perSecond(count: number, ms: number): number {
  return ms === 0 ? 0 : Math.round((count * 10_000) / ms) / 10;
}

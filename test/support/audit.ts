import { Logger, type LoggerService } from '@nestjs/common';
import type { LogFact, ObservedNode, Observer } from 'nestjs-channels';
import { ChannelsMetrics } from 'nestjs-channels/metrics';
import type { ChannelsTestAppOptions } from 'nestjs-channels/testing';
import { Registry } from 'prom-client';
import { closeCode } from '../../lib/protocol/index.js';

/** How often each thing has happened: `{ 'closed 4408': 1 }`. */
export type Tally = Readonly<Record<string, number>>;

/** What is audited. */
const FACTS: ReadonlySet<unknown> = new Set<LogFact>([
  'opened',
  'closed',
  'reaped',
  'shed',
  'refused',
  'gap',
  'dropped',
]);

const LEVELS = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const;

/** The ends that have names of their own. */
const ENDS: ReadonlyMap<unknown, string> = new Map([
  [4408, 'reaped'],
  [4413, 'shed'],
]);

const METRICS = ['connections_opened', 'connections_closed', 'handshakes', 'gaps', 'dropped'] as const;

/** Looks at openings, ends, refusals, gaps and drops of an application from three sides. */
export class Audit {
  readonly #facts = new Counts();
  readonly #log = new Counts();
  readonly #registry = new Registry();
  /** Levels whose lines do not come here. */
  readonly #levels = new Set<string>();

  /** @param options - of the application */
  constructor(private readonly options: ChannelsTestAppOptions) {}

  /** The options with which it is looked at. The log is that of the whole process until the next one starts. */
  get audited(): ChannelsTestAppOptions {
    const { channels, configure } = this.options;
    const metrics = new ChannelsMetrics({ registry: this.#registry, process: false });
    return {
      ...this.options,
      channels: {
        logFormat: 'fields',
        ...channels,
        observers: [...(channels?.observers ?? []), this.#observer(), counting(metrics)],
      },
      configure: (nest) => {
        nest.useLogger(this.#logger());
        return configure?.(nest);
      },
    };
  }

  /** Whether lines of every level still come here, and all that there are: a test may have a log of its own. */
  hasLog(): boolean {
    const { logFormat, logLevels } = this.options.channels ?? {};
    if (logFormat !== undefined || logLevels !== undefined) return false;
    const logger = new Logger('Audit');
    for (const level of LEVELS) {
      this.#levels.add(level);
      logger[level]({ probe: level });
    }
    return this.#levels.size === 0;
  }

  /** What observers were told. */
  get facts(): Tally {
    return this.#facts.tally;
  }

  /** What stands in the log, with what its lines have counted. Complete when the application has ended. */
  get log(): Tally {
    return this.#log.tally;
  }

  /** What the metrics have counted. */
  async metrics(): Promise<Tally> {
    const counts = new Counts();
    for (const name of METRICS) {
      const metric = this.#registry.getSingleMetric(`channels_${name}_total`);
      const { values = [] } = (await metric?.get()) ?? {};
      for (const { labels, value } of values) counts.add(wordOf(name, labels), value);
    }
    return counts.tally;
  }

  #observer(): Observer {
    const facts = this.#facts;
    let patternOf: ObservedNode['patternOf'] = () => undefined;
    return {
      started: (node) => (patternOf = node.patternOf),
      opened: ({ path }) => facts.add(`opened ${path}`),
      closed: (_, code) => facts.add(`closed ${labelOf(code)}`),
      refused: ({ reason }) => facts.add(`refused ${reason}`),
      gap: (_, channel) => facts.add(`gap ${patternOf(channel)}`),
      dropped: (_, channel, count) => facts.add(`dropped ${patternOf(channel)}`, count),
    };
  }

  #logger(): LoggerService {
    const read = (message: unknown): void => this.#read(message);
    return { verbose: read, debug: read, log: read, warn: read, error: read, fatal: read };
  }

  #read(message: unknown): void {
    if (typeof message !== 'object' || message === null) return;
    const line = message as Readonly<Record<string, string | number | undefined>>;
    this.#levels.delete(String(line['probe']));
    if (!FACTS.has(line['event'])) return;
    this.#log.add(wordOfLine(line), Number(line['more'] ?? line['count'] ?? 1));
  }
}

/** Of an end the name has to be that of its code. */
function wordOfLine({ event, code, path, reason, pattern }: Readonly<Record<string, unknown>>): string {
  if (code === undefined) return `${String(event)} ${String(reason ?? pattern ?? path)}`;
  const fact = event === (ENDS.get(code) ?? 'closed') ? 'closed' : `mistaken ${String(event)}`;
  return `${fact} ${labelOf(Number(code))}`;
}

/** As the metrics have it: a peer may close with any of thousands. */
function labelOf(code: number): string {
  return closeCode(code) ? String(code) : 'other';
}

/** Nothing that has to be measured: a test is to find the application as it would be without. */
function counting(metrics: ChannelsMetrics): Observer {
  return {
    started: (node) => metrics.started(node),
    opened: (connection) => metrics.opened(connection),
    closed: (connection, code) => metrics.closed(connection, code),
    refused: (refusal) => metrics.refused(refusal),
    gap: (connection, channel) => metrics.gap(connection, channel),
    dropped: (connection, channel, count) => metrics.dropped(connection, channel, count),
  };
}

/** The sum of several. */
export function together(tallies: readonly Tally[]): Tally {
  const counts = new Counts();
  for (const tally of tallies) for (const [word, count] of Object.entries(tally)) counts.add(word, count);
  return counts.tally;
}

class Counts {
  readonly #counts = new Map<string, number>();

  get tally(): Tally {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => a.localeCompare(b)));
  }

  add(word: string, count = 1): void {
    // What opens is among the handshakes as well.
    if (word === 'refused opened' || count === 0) return;
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + count);
  }
}

/** The words of a metric's labels, as the facts have them. */
function wordOf(name: (typeof METRICS)[number], labels: Partial<Record<string, string | number>>): string {
  switch (name) {
    case 'connections_opened':
      return `opened ${labels['path']}`;
    case 'connections_closed':
      return `closed ${labels['code']}`;
    case 'handshakes':
      return `refused ${labels['outcome']}`;
    case 'gaps':
      return `gap ${labels['channel']}`;
    case 'dropped':
      return `dropped ${labels['channel']}`;
  }
}

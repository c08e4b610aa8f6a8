import type { LoggerService } from '@nestjs/common';
import type { LogFact, ObservedNode, Observer } from 'nestjs-channels';
import { ChannelsMetrics } from 'nestjs-channels/metrics';
import type { ChannelsTestApp, ChannelsTestAppOptions } from 'nestjs-channels/testing';
import { Registry } from 'prom-client';
import { closeCode } from '../../lib/protocol/index.js';
import { startApp } from './start-app.js';

/** How often each thing has happened: `{ 'closed 4408': 1 }`. */
export type Tally = Readonly<Record<string, number>>;

/** What is audited, whatever level it has by default. */
const LEVELS = {
  opened: 'log',
  closed: 'log',
  reaped: 'log',
  shed: 'log',
  refused: 'log',
  gap: 'log',
  dropped: 'log',
} as const satisfies Partial<Record<LogFact, string>>;

/** The ends that have names of their own. */
const ENDS: ReadonlyMap<unknown, string> = new Map([
  [4408, 'reaped'],
  [4413, 'shed'],
]);

const METRICS = ['connections_opened', 'connections_closed', 'handshakes', 'gaps', 'dropped'] as const;

/** An application whose openings, ends, refusals, gaps and drops are looked at from three sides. */
export class Audit {
  readonly #facts = new Counts();
  readonly #log = new Counts();
  readonly #registry = new Registry();

  private constructor() {}

  /** Starts one; the log is that of the whole process until the next application starts. */
  static async start(
    options: ChannelsTestAppOptions,
  ): Promise<{ readonly app: ChannelsTestApp; readonly audit: Audit }> {
    const audit = new Audit();
    const metrics = new ChannelsMetrics({ registry: audit.#registry, process: false });
    const logLevels = { ...LEVELS, ...options.channels?.logLevels };
    const observers = [...(options.channels?.observers ?? []), audit.#observer(), metrics];
    const app = await startApp({
      ...options,
      channels: { ...options.channels, observers, logFormat: 'fields', logLevels },
      configure: (nest) => {
        nest.useLogger(audit.#logger());
        return options.configure?.(nest);
      },
    });
    return { app, audit };
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
    return {
      log: (message: unknown) => this.#read(message),
      warn: () => undefined,
      error: () => undefined,
    };
  }

  #read(message: unknown): void {
    if (typeof message !== 'object' || message === null) return;
    const line = message as Readonly<Record<string, string | number | undefined>>;
    if (!Object.hasOwn(LEVELS, String(line['event']))) return;
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

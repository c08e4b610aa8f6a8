import type { LogLevel } from '@nestjs/common';

/** What Nest's logger knows, from the quietest need to the loudest. */
const LEVELS = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const satisfies readonly LogLevel[];

const FORMATS = ['text', 'fields'] as const;

/**
 * What the log tells of, by the names that observers and metrics have for it. Two of them are ends for which `closed`
 * is not told as well: `reaped` is one with 4408, `shed` one with 4413. `brokerAway` stands for `deaf` as well.
 *
 * @publicApi
 */
export type LogFact =
  | 'opened'
  | 'closed'
  | 'reaped'
  | 'shed'
  | 'refused'
  | 'gap'
  | 'dropped'
  | 'faulted'
  | 'failed'
  | 'evicted'
  | 'brokerReady'
  | 'brokerAway'
  | 'draining'
  | 'drained'
  | 'warned';

/**
 * How each fact is written by default: what happens all day long on a busy node is `debug`, a peer that ends without
 * a word is `log`, and what somebody should look at is more.
 */
export const LOG_LEVELS: Readonly<Record<LogFact, LogLevel>> = {
  opened: 'debug',
  closed: 'debug',
  reaped: 'log',
  shed: 'warn',
  refused: 'warn',
  gap: 'warn',
  dropped: 'debug',
  faulted: 'debug',
  failed: 'error',
  evicted: 'warn',
  brokerReady: 'log',
  brokerAway: 'warn',
  draining: 'log',
  drained: 'log',
  warned: 'warn',
};

const FACTS: readonly string[] = Object.keys(LOG_LEVELS);

/** What the log says, and how. Each fact is one line, through Nest's own logger and in the context `Channels`. */
export interface LogOptions {
  /**
   * `text` writes a line for people. `fields` hands Nest's logger an object instead, with the text as `msg`: what
   * takes logs as JSON, such as nestjs-pino or `new ConsoleLogger({ json: true })`, then has each value as a field.
   *
   * @default 'text'
   */
  logFormat?: 'text' | 'fields';

  /**
   * The level of each fact, `off` for none at all. Those that are left out keep their default.
   *
   * @default see docs/operations.md; `opened` and `closed` are `debug`
   */
  logLevels?: Readonly<Partial<Record<LogFact, LogLevel | 'off'>>>;

  /**
   * How many lines of one fact and reason are written within a second. What goes beyond is counted, and told as
   * `…: and 4,321 more` until it has calmed down. `0` writes each of them, however many peers cause.
   *
   * @default 1
   */
  logLinesPerSecond?: number;
}

/** {@link LogOptions}, complete. */
export interface ResolvedLogOptions {
  readonly format: 'text' | 'fields';
  readonly levels: Readonly<Record<LogFact, LogLevel | 'off'>>;
  /** `Infinity` for all of them. */
  readonly linesPerSecond: number;
}

/**
 * Fills in the defaults and checks each value.
 *
 * @throws TypeError that names the option, says what it got and what to do
 */
export function resolveLogOptions(options: LogOptions = {}): ResolvedLogOptions {
  const { logFormat: format = 'text', logLevels = {}, logLinesPerSecond = 1 } = options;
  if (!FORMATS.includes(format)) {
    throw new TypeError(`logFormat (${String(format)}) must be ${list(FORMATS)}.`);
  }
  if (!Number.isSafeInteger(logLinesPerSecond) || logLinesPerSecond < 0) {
    throw new TypeError(
      `logLinesPerSecond (${String(logLinesPerSecond)}) must be a whole number, or 0 to write each line.`,
    );
  }
  return { format, levels: levelsOf(logLevels), linesPerSecond: logLinesPerSecond || Infinity };
}

function levelsOf(given: unknown): ResolvedLogOptions['levels'] {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(
      `logLevels (${String(given)}) must be an object such as { opened: 'log', dropped: 'off' }.`,
    );
  }
  const levels: Record<LogFact, LogLevel | 'off'> = { ...LOG_LEVELS };
  for (const [fact, level] of Object.entries(given)) {
    if (!isFact(fact)) {
      throw new TypeError(`logLevels has "${fact}", which is no fact: there are ${list(FACTS)}.`);
    }
    if (level === undefined) continue;
    if (!isLevel(level)) {
      throw new TypeError(`logLevels.${fact} (${String(level)}) must be ${list([...LEVELS, 'off'])}.`);
    }
    levels[fact] = level;
  }
  return levels;
}

function isFact(name: string): name is LogFact {
  return Object.hasOwn(LOG_LEVELS, name);
}

function isLevel(level: unknown): level is LogLevel | 'off' {
  return level === 'off' || LEVELS.some((known) => known === level);
}

/** `'a', 'b' or 'c'`. */
function list(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`);
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

import type { LoggerService } from '@nestjs/common';
import type { LogFact, ResolvedLogOptions } from './log-options.js';
import { oneLine, quote } from './log-text.js';

/** What a line tells, by the names in docs/operations.md, as it is: a peer may have written any of the texts. */
export type LogFields = Readonly<Record<string, string | number | undefined>>;

/** One line of the log. */
export interface LogLine {
  readonly text: string;
  /** What stands in the text. */
  readonly fields: LogFields;
  /** What does not; a line for people has it behind. */
  readonly more?: LogFields;
  /** Below the line, where something was thrown. */
  readonly stack?: string;
}

/** Writes lines in the form and at the level that the options say, through Nest's logger. */
export class LogWriter {
  constructor(
    private readonly logger: LoggerService,
    private readonly options: Pick<ResolvedLogOptions, 'format' | 'levels'>,
  ) {}

  /** Whether the fact is written at all: nobody has to word it where it is not. */
  isOn(fact: LogFact): boolean {
    return this.options.levels[fact] !== 'off';
  }

  write(fact: LogFact, line: LogLine): void {
    const { levels, format } = this.options;
    const level = levels[fact];
    if (level === 'off') return;
    if (format === 'fields') this.logger[level]?.(record(fact, line));
    else if (line.stack === undefined) this.logger[level]?.(textOf(line));
    else this.logger[level]?.(textOf(line), line.stack);
  }
}

/** What nestjs-pino merges into its own record, where `msg` is the text, and others write as JSON. */
function record(event: LogFact, { text, fields, more, stack }: LogLine): LogFields {
  const known = knownOf({ ...fields, ...more });
  const printable = known.map(([name, value]) => [name, typeof value === 'string' ? oneLine(value) : value]);
  return { event, msg: text, ...Object.fromEntries(printable), ...(stack !== undefined && { stack }) };
}

function textOf({ text, more = {} }: LogLine): string {
  const pairs = knownOf(more).map(([name, value]) => {
    return `${name}=${typeof value === 'string' ? quote(value) : String(value)}`;
  });
  return [text, ...pairs].join(' ');
}

/** Without those that are empty: an anonymous peer has no principal. */
function knownOf(fields: LogFields): [string, string | number | undefined][] {
  return Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
}

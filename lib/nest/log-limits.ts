import type { Clock } from '../core/clock.interface.js';
import type { Refusal } from '../core/observer.interface.js';
import { LineLimit } from './line-limit.js';
import type { LogFact } from './log-options.js';
import { oneLine } from './log-text.js';
import type { LogFields, LogWriter } from './log-writer.js';

/** What a line says of which there may be any number, as the labels of the metrics do. */
export const OTHER = 'other';

/** Reasons of one fact that have lines of their own at a time, where any text may be one, */
const MAX_TEXTS = 8;

/** and where they are words of ours: codes, kinds, patterns and paths. */
const MAX_WORDS = 64;

/** What an operator did, or a broker, is never too much to be told. */
type LimitedFact = Exclude<LogFact, 'brokerReady' | 'brokerAway' | 'draining' | 'drained'>;

/** How one fact says that there were more. */
interface Rest {
  readonly maxReasons: number;
  /** What those have in common that share a line because there are too many. */
  readonly shared?: LogFields;
  /** `topic` is that of the lines before, or what is shared. */
  readonly text: (topic: LogFields, more: string) => string;
}

const RESTS: Readonly<Record<LimitedFact, Rest>> = {
  opened: { maxReasons: MAX_WORDS, text: ({ path = OTHER }, more) => `opened on ${path}: and ${more}` },
  closed: { maxReasons: MAX_WORDS, text: endsOf('closed') },
  reaped: { maxReasons: MAX_WORDS, text: endsOf('reaped') },
  shed: { maxReasons: MAX_WORDS, text: endsOf('shed') },
  refused: {
    maxReasons: MAX_WORDS,
    text: ({ status = OTHER, reason = OTHER }, more) => `refused with ${status} (${reason}): and ${more}`,
  },
  gap: {
    maxReasons: MAX_WORDS,
    text: ({ pattern = OTHER }, more) => `missed publications of ${pattern}: and ${more} were told so`,
  },
  dropped: {
    maxReasons: MAX_WORDS,
    text: ({ pattern = OTHER }, more) => `dropped for slow readers of ${pattern}: and ${more}`,
  },
  faulted: {
    maxReasons: MAX_WORDS,
    text: ({ kind = OTHER }, more) => `faults of peers, ${kind}: and ${more}`,
  },
  failed: { maxReasons: MAX_TEXTS, text: ({ where = 'others' }, more) => `${where} failed: and ${more}` },
  evicted: {
    maxReasons: 1,
    text: (_, more) => `answers to @Acked messages that went for want of room: and ${more}`,
  },
  warned: { maxReasons: MAX_TEXTS, text: ({ warning = 'others' }, more) => `${warning}: and ${more}` },
};

/** Ends with one code, on one path. */
function endsOf(word: string): Rest['text'] {
  return ({ path = OTHER, code = OTHER }, more) => `${word} on ${path} with ${code}: and ${more}`;
}

/** Of one origin, with the line that lets its pages in. */
const ORIGINS: Rest = {
  maxReasons: MAX_TEXTS,
  shared: { reason: 'origin', status: 403 },
  text: ({ advice }, more) => {
    const which = advice === undefined ? ' of other pages' : `; to change that: ${advice}`;
    return `refused with 403 (origin): and ${more}${which}`;
  },
};

/** Says which facts get a line, and counts the others. */
export class LogLimits {
  readonly #facts: Readonly<Record<LimitedFact, LineLimit<LogFields>>>;
  /** Beside the others: pages can make up as many origins as they like. */
  readonly #origins: LineLimit<LogFields>;
  #isLifted = false;

  constructor(
    private readonly writer: LogWriter,
    clock: Pick<Clock, 'now'>,
    linesPerSecond: number,
  ) {
    const limit = (fact: LimitedFact, { maxReasons, shared = {}, text }: Rest): LineLimit<LogFields> =>
      new LineLimit(clock, { linesPerSecond, maxReasons }, (topic = shared, count) => {
        const more = `${count.toLocaleString('en-US')} more`;
        writer.write(fact, { text: text(topic, more), fields: { ...topic, more: count } });
      });
    this.#facts = {
      opened: limit('opened', RESTS.opened),
      closed: limit('closed', RESTS.closed),
      reaped: limit('reaped', RESTS.reaped),
      shed: limit('shed', RESTS.shed),
      refused: limit('refused', RESTS.refused),
      gap: limit('gap', RESTS.gap),
      dropped: limit('dropped', RESTS.dropped),
      faulted: limit('faulted', RESTS.faulted),
      failed: limit('failed', RESTS.failed),
      evicted: limit('evicted', RESTS.evicted),
      warned: limit('warned', RESTS.warned),
    };
    this.#origins = limit('refused', ORIGINS);
  }

  /** Whether this one gets a line. `topic` is what the lines of this reason have in common. */
  admit(fact: LimitedFact, reason: string, topic: LogFields, count = 1): boolean {
    return this.writer.isOn(fact) && (this.#isLifted || this.#facts[fact].admits(reason, topic, count));
  }

  /** The same of a refusal. Whoever knocks all the time must not hide the line that somebody else needs. */
  admitRefusal({ reason, status, advice }: Pick<Refusal, 'reason' | 'status' | 'advice'>): boolean {
    if (reason !== 'origin' || advice === undefined) {
      return this.admit('refused', `${status} ${reason}`, { reason, status });
    }
    const line = oneLine(advice);
    if (!this.writer.isOn('refused')) return false;
    return this.#isLifted || this.#origins.admits(line, { reason, status, advice: line });
  }

  sweep(): void {
    for (const limit of this.#all) limit.sweep();
  }

  end(): void {
    for (const limit of this.#all) limit.end();
  }

  /** The same, and all that comes later gets a line: there is no time any more at which a count would be told. */
  lift(): void {
    this.end();
    this.#isLifted = true;
  }

  get #all(): readonly LineLimit<LogFields>[] {
    return [...Object.values(this.#facts), this.#origins];
  }
}

import type { Position, Publication } from '../../lib/core/broker.interface.js';
import { HISTORY, hasHistory } from './rules.js';
import type { Facts } from './facts.js';

/** What a server has said may have been under way so long. */
const SLACK_MS = 8_000;

/** One publication that the broker has accepted. */
export interface Entry {
  /** 1 for the first of the channel, whatever its epoch. */
  readonly index: number;
  readonly epoch: string;
  readonly offset: number;
  readonly at: number;
  readonly key: string | undefined;
  readonly life: number;
}

/** What was really published, written down at the broker. */
export class Ledger {
  readonly #channels = new Map<string, Entry[]>();
  readonly #byNumber = new Map<number, Entry>();

  /** Times that the broker has lost all that it kept. */
  #life = 0;

  constructor(private readonly facts: Facts) {}

  /** The broker has lost all that it kept. */
  forgotten(): void {
    this.#life++;
  }

  /** Publications of a channel so far. */
  tail(channel: string): number {
    return this.#of(channel).length;
  }

  last(channel: string): Entry | undefined {
    return this.#of(channel).at(-1);
  }

  entry(number: number): Entry | undefined {
    return this.#byNumber.get(number);
  }

  accepted({ channel, data, position }: Publication, key: string | undefined, now: number): void {
    const { u } = JSON.parse(data ?? '{}') as { readonly u: number };
    const entries = this.#of(channel);
    const { epoch, offset } = position ?? { epoch: 'none', offset: entries.length + 1 };
    const last = entries.at(-1);
    const isNext = last?.epoch === epoch ? offset === last.offset + 1 : offset === 1;
    if (position) this.facts.check('I1', isNext, `${channel}: offset ${offset} behind ${last?.offset}`);
    const entry: Entry = { index: entries.length + 1, epoch, offset, at: now, key, life: this.#life };
    entries.push(entry);
    this.#byNumber.set(u, entry);
  }

  /** The first publication under a key, while it has to be in the history. */
  underKey(channel: string, key: string | undefined, now: number): Entry | undefined {
    if (key === undefined || !hasHistory(channel)) return undefined;
    const kept = this.#of(channel)
      .slice(-HISTORY.size)
      .filter(({ life }) => life === this.#life);
    return kept.find((entry) => entry.key === key && entry.at + HISTORY.ttlMs > now);
  }

  /** Whether a publication, and all behind it, have been in the history for certain. */
  isKept(channel: string, { index, epoch, life, at }: Entry): boolean {
    const last = this.last(channel);
    const isFresh = at + HISTORY.ttlMs - SLACK_MS > this.facts.time.now;
    const isSameLife = life === this.#life && epoch === last?.epoch;
    return isFresh && isSameLife && this.tail(channel) - index <= HISTORY.size;
  }

  /** Whether a position is that of an entry. */
  checkPosition(position: Position | undefined | void, expected: Entry | undefined): void {
    const isSame = position?.epoch === expected?.epoch && position?.offset === expected?.offset;
    this.facts.check(
      'I2',
      !expected || isSame,
      `published under ${position?.offset}, not ${expected?.offset}`,
    );
  }

  #of(channel: string): Entry[] {
    let entries = this.#channels.get(channel);
    if (!entries) this.#channels.set(channel, (entries = []));
    return entries;
  }
}

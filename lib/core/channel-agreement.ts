import type { HistoryRule } from './broker.interface.js';
import { CHANNEL_SYNTAX } from './channel-definition.js';
import type { ChannelRegistry, RegisteredChannels } from './channel-registry.interface.js';
import type { Clock } from './clock.interface.js';
import { ChannelsError } from './errors.js';
import { Pattern, PatternTable } from './pattern.js';

/** For how long what the nodes have said is taken for true. */
const FRESH_MS = 5_000;

/** Older than this, it is not taken for true any more: who publishes now and then has slept through deploys. */
const STALE_MS = 60_000;

/** What the nodes say: a table, or several while a deploy goes on. */
type Opinions = readonly PatternTable<HistoryRule | undefined>[];

/** Whether who publishes and who delivers mean the same by a channel. */
export class ChannelAgreement {
  #opinions?: Promise<Opinions>;
  /** `undefined` until the nodes have been heard for the first time. */
  #readAt?: number;
  #triedAt = 0;
  #reading?: Promise<Opinions>;

  constructor(
    private readonly registry: ChannelRegistry,
    private readonly clock: Clock,
  ) {}

  /**
   * Waits for the nodes' opinions the first time and where they are older than a minute. Otherwise it looks, at most
   * every five seconds, without waiting.
   *
   * @throws ChannelsError `bad_request` where every node that has the channel keeps something else of it,
   * `unavailable` where the nodes' opinions have never been had
   */
  async check(channel: string, history: HistoryRule | undefined): Promise<void> {
    // Who comes first goes on first: all wait for the same promise.
    const tables = await this.#current();
    const matches = tables.map((table) => table.match(channel)).filter((match) => match !== undefined);
    const opinions = [...new Set(matches.map(({ value }) => describeHistory(value)))];
    if (opinions.length === 0 || opinions.includes(describeHistory(history))) return;
    throw new ChannelsError(
      'bad_request',
      `"${channel}" has ${describeHistory(history)} here, but ${opinions.join(' or ')} at the nodes ` +
        'that deliver it; share one defineChannel(...) between them.',
    );
  }

  #current(): Promise<Opinions> {
    const known = this.#opinions;
    if (!known) return this.#readFirst();
    if (this.#readAt === undefined) return known;
    const now = this.clock.now();
    if (now >= this.#triedAt + FRESH_MS) this.#reading ??= this.#readAgain(known);
    return this.#reading && now >= this.#readAt + STALE_MS ? this.#reading : known;
  }

  #readFirst(): Promise<Opinions> {
    const opinions = this.#read();
    this.#opinions = opinions;
    opinions.catch(() => {
      this.#opinions = undefined;
    });
    return opinions;
  }

  async #readAgain(known: Promise<Opinions>): Promise<Opinions> {
    try {
      const opinions = await this.#read();
      this.#opinions = Promise.resolve(opinions);
      return opinions;
    } catch {
      // What was said last is better than nothing, and the broker tells that it is away.
      return await known;
    } finally {
      this.#reading = undefined;
    }
  }

  async #read(): Promise<Opinions> {
    try {
      const opinions = (await this.registry.read()).map(toTable);
      this.#readAt = this.clock.now();
      return opinions;
    } finally {
      this.#triedAt = this.clock.now();
    }
  }
}

/** All that a node says: which pattern fits a channel best, and what it keeps. */
export function toTable(channels: RegisteredChannels): Opinions[number] {
  const table: Opinions[number] = new PatternTable(CHANNEL_SYNTAX);
  for (const { pattern, history } of channels) table.add(new Pattern(pattern, CHANNEL_SYNTAX), history);
  return table;
}

/** In words, the same for the same rule. */
export function describeHistory(history: HistoryRule | undefined): string {
  return history ? `a history of ${history.size} for ${history.ttlMs} ms` : 'no history';
}

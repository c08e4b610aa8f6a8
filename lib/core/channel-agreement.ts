import type { HistoryRule } from './broker.interface.js';
import { CHANNEL_SYNTAX } from './channel-definition.js';
import type { ChannelRegistry, RegisteredChannel } from './channel-registry.interface.js';
import type { Clock } from './clock.interface.js';
import { ChannelsError } from './errors.js';
import { Pattern, PatternTable } from './pattern.js';

/** For how long what the nodes have said is taken for true. */
const FRESH_MS = 5_000;

/** What nodes say about a channel: one opinion, or several while a deploy goes on. */
type Opinions = PatternTable<(HistoryRule | undefined)[]>;

/** Whether who publishes and who delivers mean the same by a channel. */
export class ChannelAgreement {
  #opinions?: Promise<Opinions>;
  #readAt = 0;
  #isReading = false;

  constructor(
    private readonly registry: ChannelRegistry,
    private readonly clock: Clock,
  ) {}

  /**
   * Waits for the nodes' opinions the first time, and looks later, at most every five seconds, without waiting.
   *
   * @throws ChannelsError `bad_request` where every node that has the channel keeps something else of it,
   * `unavailable` where the nodes' opinions have never been had
   */
  async check(channel: string, history: HistoryRule | undefined): Promise<void> {
    // Who comes first goes on first: all wait for the same promise.
    const opinions = (await this.#current()).match(channel)?.value;
    if (!opinions || opinions.some((opinion) => describeHistory(opinion) === describeHistory(history)))
      return;
    throw new ChannelsError(
      'bad_request',
      `"${channel}" has ${describeHistory(history)} here, but ${opinions.map(describeHistory).join(' or ')} at the nodes ` +
        'that deliver it; share one defineChannel(...) between them.',
    );
  }

  #current(): Promise<Opinions> {
    if (!this.#opinions) {
      this.#opinions = this.#read();
      this.#opinions.catch(() => {
        this.#opinions = undefined;
      });
    } else if (this.clock.now() >= this.#readAt + FRESH_MS) void this.#readAgain();
    return this.#opinions;
  }

  async #read(): Promise<Opinions> {
    const opinions = toTable(await this.registry.read());
    this.#readAt = this.clock.now();
    return opinions;
  }

  async #readAgain(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const opinions = await this.#read();
      this.#opinions = Promise.resolve(opinions);
    } catch {
      // What was said last is better than nothing, and the broker tells that it is away.
      this.#readAt = this.clock.now();
    } finally {
      this.#isReading = false;
    }
  }
}

function toTable(channels: readonly RegisteredChannel[]): Opinions {
  const table: Opinions = new PatternTable(CHANNEL_SYNTAX);
  const byShape = new Map<string, (HistoryRule | undefined)[]>();
  for (const { pattern: text, history } of channels) {
    const pattern = new Pattern(text, CHANNEL_SYNTAX);
    const known = byShape.get(pattern.shape);
    if (known) {
      known.push(history);
      continue;
    }
    const opinions = [history];
    byShape.set(pattern.shape, opinions);
    table.add(pattern, opinions);
  }
  return table;
}

/** In words, the same for the same rule. */
export function describeHistory(history: HistoryRule | undefined): string {
  return history ? `a history of ${history.size} for ${history.ttlMs} ms` : 'no history';
}

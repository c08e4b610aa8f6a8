import type { HistoryRule } from '../core/broker.interface.js';
import { CHANNEL_SYNTAX } from '../core/channel-definition.js';
import type {
  ChannelRegistry,
  RegisteredChannel,
  RegisteredChannels,
  RegistryHost,
} from '../core/channel-registry.interface.js';
import type { Timer } from '../core/clock.interface.js';
import { ChannelsError } from '../core/errors.js';
import { Pattern } from '../core/pattern.js';
import type { Keys } from './keys.js';
import type { RedisLink } from './redis-link.js';
import { READ_CHANNELS } from './scripts/read-channels.js';
import { REGISTER_CHANNELS } from './scripts/register-channels.js';

/** Of the entries. One of another version is nobody's opinion. */
const VERSION = 1;

/** For how long an entry counts that nobody renews. */
export const ENTRY_MS = 60_000;

/** What is wrong with an entry is told once in so many milliseconds. */
const REPEAT_AFTER_MS = 60_000;

/** What of a link is needed here. */
export type RegistryLink = Pick<RedisLink, 'run' | 'onBack'>;

/**
 * A registry in Redis: each entry is all patterns of a node with what they keep, and the time until which it counts.
 * Nodes that agree share an entry, those that differ have one each.
 */
export class RedisChannelRegistry implements ChannelRegistry {
  #host?: RegistryHost;
  #entry?: string;
  #ticker?: Timer;
  #reportedAt = -Infinity;

  constructor(
    private readonly link: RegistryLink,
    private readonly keys: Keys,
    private readonly entryMs = ENTRY_MS,
  ) {}

  start(host: RegistryHost): void {
    this.#host = host;
    // Redis may have forgotten them.
    this.link.onBack(() => void this.#renew());
  }

  async register(channels: RegisteredChannels): Promise<void> {
    const host = this.#host;
    if (!host) return;
    if (channels.length === 0) return;
    this.#entry = encodeEntry(channels);
    this.#ticker ??= host.clock.setInterval(() => void this.#renew(), this.entryMs / 3);
    await this.#renew();
  }

  async read(): Promise<readonly RegisteredChannels[]> {
    const entries = (await this.link.run(READ_CHANNELS, [this.keys.registry], [])) as readonly string[];
    return entries.map((entry) => this.#parse(entry)).filter((channels) => channels !== undefined);
  }

  close(): void {
    if (this.#ticker) this.#host?.clock.clearTimer(this.#ticker);
    this.#ticker = undefined;
    this.#host = undefined;
  }

  async #renew(): Promise<void> {
    const host = this.#host;
    if (!host || this.#entry === undefined) return;
    try {
      await this.link.run(REGISTER_CHANNELS, [this.keys.registry], [this.entryMs, this.#entry]);
    } catch (error) {
      // That Redis is away is told once, by the broker.
      if (error instanceof ChannelsError && error.code === 'unavailable') return;
      host.failed('the registration of the channels', error);
    }
  }

  #parse(entry: string): RegisteredChannels | undefined {
    try {
      return parseEntry(entry);
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  #report(error: unknown): void {
    const host = this.#host;
    if (!host || host.clock.now() < this.#reportedAt + REPEAT_AFTER_MS) return;
    this.#reportedAt = host.clock.now();
    host.failed('a registered channel', error);
  }
}

/** The same text for the same opinion, so that nodes that agree share an entry. */
function encodeEntry(channels: RegisteredChannels): string {
  const entries = channels.map(({ pattern, history }) => {
    const { shape } = new Pattern(pattern, CHANNEL_SYNTAX);
    return JSON.stringify({ shape, history: history && { size: history.size, ttlMs: history.ttlMs } });
  });
  // Two gateways may be found in another order.
  return `{"v":${VERSION},"channels":[${entries.toSorted().join()}]}`;
}

/** @throws TypeError for what is none, or of another version */
function parseEntry(entry: string): RegisteredChannels {
  const { v, channels } = JSON.parse(entry) as Readonly<Record<string, unknown>>;
  if (v !== VERSION || !Array.isArray(channels)) throw unknown(entry);
  return (channels as readonly unknown[]).map((channel) => parseChannel(channel, entry));
}

function parseChannel(channel: unknown, entry: string): RegisteredChannel {
  const { shape, history } = (channel ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof shape !== 'string') throw unknown(entry);
  return { pattern: toPattern(shape), history: history === undefined ? undefined : toRule(history, entry) };
}

/** Parameters of a shape have no names: any will do. */
function toPattern(shape: string): string {
  const { separator } = CHANNEL_SYNTAX;
  const segments = shape.split(separator);
  const { text } = new Pattern(
    segments.map((segment, at) => (segment === '{}' ? `{p${at}}` : segment)).join(separator),
    CHANNEL_SYNTAX,
  );
  return text;
}

function toRule(history: unknown, entry: string): HistoryRule {
  const { size, ttlMs } = (history ?? {}) as Partial<Record<string, unknown>>;
  if (typeof size === 'number' && typeof ttlMs === 'number') return { size, ttlMs };
  throw unknown(entry);
}

function unknown(entry: string): TypeError {
  return new TypeError(`not understood, as from another version of this package: ${entry.slice(0, 80)}`);
}

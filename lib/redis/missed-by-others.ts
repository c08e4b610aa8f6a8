import type { RedisLink } from './redis-link.js';

/** Channels that are remembered by name; when there are more, the other nodes look at all of theirs. */
const MAX_CHANNELS = 1_000;

/** Stands for all channels. No channel has this name. */
const ALL = '*';

/**
 * What this node has handed to its own subscribers alone while Redis was away. When it is back, the other nodes are
 * told in which channels they may have missed something.
 */
export class MissedByOthers {
  readonly #channels = new Set<string>();

  constructor(
    private readonly link: RedisLink,
    private readonly redisChannel: string,
  ) {}

  add(channel: string): void {
    if (this.#channels.size <= MAX_CHANNELS) this.#channels.add(channel);
  }

  /** @param missed - is told of channels, or of none in particular, which means all */
  async listen(missed: (channels?: readonly string[]) => void): Promise<void> {
    const received = (message: string): void =>
      missed(message === ALL ? undefined : message.split(' ').filter((channel) => channel !== ''));
    // Redis may be away at the start: then it counts from when it is back.
    await this.link.listen(this.redisChannel, received).catch(() => undefined);
  }

  /** Called again and again: what could not be told is told then. */
  async tell(): Promise<void> {
    if (this.#channels.size === 0 || this.link.state !== 'ready') return;
    const channels = [...this.#channels];
    this.#channels.clear();
    const message = channels.length > MAX_CHANNELS ? ALL : channels.join(' ');
    try {
      await this.link.publish(this.redisChannel, message);
    } catch {
      for (const channel of channels) this.add(channel);
    }
  }
}

import type { Position } from '../core/broker.interface.js';
import type { Clock } from '../core/clock.interface.js';

const NOWHERE: Position = { epoch: '', offset: 0 };

interface Followed {
  /** Settles when Redis brings what is published there. */
  readonly listening: Promise<void>;
  /** The newest position: an offset that goes back is another life. */
  seen: Position;
}

/** What {@link FollowedChannels} needs of Redis. */
export interface ChannelListening {
  listen(channel: string): Promise<void>;
  unlisten(channel: string): void;
}

/**
 * The channels that a node follows: those with somebody in them, and for a while those that all have left, for who
 * loads a page again comes back at once.
 */
export class FollowedChannels {
  readonly #channels = new Map<string, Followed>();
  /** Nobody is in them any more; in the order in which they are left. */
  readonly #leaveAt = new Map<string, number>();
  #clock?: Clock;

  constructor(
    private readonly redis: ChannelListening,
    private readonly lingerMs: number,
  ) {}

  start(clock: Clock): void {
    this.#clock = clock;
  }

  /** Resolves when Redis brings what is published there; where it cannot, the channel is not followed. */
  follow(channel: string): Promise<void> {
    this.#leaveAt.delete(channel);
    const known = this.#channels.get(channel);
    if (known) return known.listening;
    const followed: Followed = { listening: this.redis.listen(channel), seen: NOWHERE };
    this.#channels.set(channel, followed);
    followed.listening.catch(() => {
      if (this.#channels.get(channel) === followed) this.#forget(channel);
    });
    return followed.listening;
  }

  /** Nobody is in it any more. */
  leave(channel: string): void {
    if (this.#clock && this.#channels.has(channel)) {
      this.#leaveAt.set(channel, this.#clock.now() + this.lingerMs);
    }
  }

  sweep(now: number): void {
    for (const [channel, at] of this.#leaveAt) {
      if (at > now) return;
      this.#forget(channel);
    }
  }

  /** The newest position that was seen of it, while it is followed. */
  seen(channel: string): Position {
    return this.#channels.get(channel)?.seen ?? NOWHERE;
  }

  see(channel: string, position: Position): void {
    const followed = this.#channels.get(channel);
    if (!followed) return;
    const { epoch, offset } = followed.seen;
    if (epoch !== position.epoch || offset < position.offset) followed.seen = position;
  }

  #forget(channel: string): void {
    this.#channels.delete(channel);
    this.#leaveAt.delete(channel);
    this.redis.unlisten(channel);
  }
}

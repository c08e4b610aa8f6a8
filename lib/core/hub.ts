import type { Codec } from '../codec/index.js';
import type { Broker, Publication } from './broker.interface.js';
import { EncodedFrame } from './encoded-frame.js';
import type { Observers } from './observers.js';
import type { Subscription } from './subscription.js';

/** The subscribers of one channel on this node. */
interface LocalChannel {
  readonly subscriptions: Set<Subscription>;
  /** Settles when the broker sends this node the channel's publications. */
  readonly ready: Promise<void> | void;
}

/** Which connections of this node are in which channel. */
export class Hub {
  readonly #channels = new Map<string, LocalChannel>();

  constructor(
    private readonly codec: Codec,
    private readonly broker: Broker,
    private readonly observers: Observers,
  ) {}

  /** Channels with at least one subscriber here. */
  get size(): number {
    return this.#channels.size;
  }

  /** Adds a subscriber. Its publications may come from now on, and all of them once this has resolved. */
  join(subscription: Subscription): Promise<void> | void {
    const { channel } = subscription;
    let local = this.#channels.get(channel);
    if (!local) {
      local = { subscriptions: new Set(), ready: this.broker.subscribe(channel) };
      this.#channels.set(channel, local);
    }
    local.subscriptions.add(subscription);
    return local.ready;
  }

  leave(subscription: Subscription): void {
    const { channel } = subscription;
    const local = this.#channels.get(channel);
    if (!local?.subscriptions.delete(subscription) || local.subscriptions.size > 0) return;
    this.#channels.delete(channel);
    void this.#unsubscribe(channel);
  }

  /** Hands a publication to every subscriber here: encoded once, whatever their number. */
  readonly deliver = (publication: Publication): void => {
    const { channel, except } = publication;
    const local = this.#channels.get(channel);
    if (!local) return;
    const frame = new EncodedFrame(
      this.codec.encodePublication(channel, publication.event, publication.data),
    );
    for (const subscription of local.subscriptions) {
      const { connection, held } = subscription;
      if (connection.id === except) continue;
      if (held) held.add(frame);
      else connection.outbox.push(frame);
    }
    this.observers.delivered(channel, local.subscriptions.size);
  };

  subscribers(channel: string): Iterable<Subscription> {
    return this.#channels.get(channel)?.subscriptions ?? [];
  }

  async #unsubscribe(channel: string): Promise<void> {
    try {
      await this.broker.unsubscribe(channel);
    } catch (error) {
      this.observers.failed({ where: `broker.unsubscribe ${channel}`, error });
    }
  }
}

import type { Codec } from '../codec/index.js';
import type { Alarms } from './alarms.js';
import type { Broker, Position, Publication } from './broker.interface.js';
import type { ChannelCatalog } from './channel-catalog.js';
import { ChannelStream } from './channel-stream.js';
import { EncodedFrame } from './encoded-frame.js';
import { isUnavailable } from './errors.js';
import type { Held } from './held-publications.js';
import type { Observers } from './observers.js';
import { PacedHistories } from './paced-histories.js';
import { PositionChecks } from './position-checks.js';
import type { Subscription } from './subscription.js';
import { UnplacedPublications } from './unplaced-publications.js';

/** The subscribers of one channel on this node. */
interface LocalChannel {
  readonly subscriptions: Set<Subscription>;
  /** Follows a channel with history. */
  readonly stream?: ChannelStream;
  /** Settles when the broker sends this node the channel's publications. */
  readonly ready: Promise<void> | void;
}

/** Which connections of this node are in which channel. */
export class Hub {
  readonly #channels = new Map<string, LocalChannel>();
  /** Of those with a history. */
  readonly #streams = new Set<ChannelStream>();
  readonly #checks = new PositionChecks((stream) => this.#isFollowed(stream));
  readonly #encoded = new WeakMap<Publication, EncodedFrame>();
  readonly #histories: PacedHistories;
  readonly #unplaced: UnplacedPublications;

  constructor(
    private readonly codec: Codec,
    readonly broker: Broker,
    private readonly observers: Observers,
    private readonly catalog: ChannelCatalog,
    alarms: Alarms,
  ) {
    this.#histories = new PacedHistories(broker, alarms);
    this.#unplaced = new UnplacedPublications(observers);
  }

  /** Channels with at least one subscriber here. */
  get size(): number {
    return this.#channels.size;
  }

  /** Channels with a history among them. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Channels whose position is, or has to be, compared with the broker's. */
  get checks(): number {
    return this.#checks.size;
  }

  /** Questions that the broker has not answered. */
  get reads(): number {
    return this.#histories.size;
  }

  /** Channels whose subscribers are to be told of what could not be handed to them. */
  get unplaced(): number {
    return this.#unplaced.size;
  }

  /** Adds a subscriber. Its publications may come from now on, and all of them once this has resolved. */
  join(subscription: Subscription): Promise<void> | void {
    const { channel } = subscription;
    let local = this.#channels.get(channel);
    if (!local) {
      const subscriptions = new Set<Subscription>();
      const stream = this.#stream(channel, subscriptions);
      local = { subscriptions, stream, ready: this.#subscribe(channel, stream) };
      this.#channels.set(channel, local);
      if (stream) this.#streams.add(stream);
    }
    local.subscriptions.add(subscription);
    return local.ready;
  }

  leave(subscription: Subscription): void {
    const { channel } = subscription;
    const local = this.#channels.get(channel);
    if (!local?.subscriptions.delete(subscription) || local.subscriptions.size > 0) return;
    this.#channels.delete(channel);
    if (local.stream) this.#streams.delete(local.stream);
    void this.#unsubscribe(channel);
  }

  /** Takes what the broker hands over. */
  readonly deliver = (publication: Publication): void => {
    const local = this.#channels.get(publication.channel);
    if (!local) return;
    if (local.stream) local.stream.receive(publication);
    else this.#fanOut(local, publication);
  };

  /** Every channel here, with how many connections are in it. */
  *channels(): Iterable<readonly [channel: string, subscribers: number]> {
    for (const [channel, { subscriptions }] of this.#channels) yield [channel, subscriptions.size];
  }

  /** Whether anybody is in it here. */
  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  subscribers(channel: string): Iterable<Subscription> {
    return this.#channels.get(channel)?.subscriptions ?? [];
  }

  /** Follows the channel, where it has a history and somebody is in it. */
  streamOf(channel: string): ChannelStream | undefined {
    return this.#channels.get(channel)?.stream;
  }

  /** Encoded once, for all who follow and all who come back while the publication is kept. */
  encode(publication: Publication): EncodedFrame {
    const known = this.#encoded.get(publication);
    if (known) return known;
    const { channel, event, data, position } = publication;
    const frame = new EncodedFrame(this.codec.encodePublication(channel, event, data, position?.offset));
    if (position) this.#encoded.set(publication, frame);
    return frame;
  }

  /** The same of several, as those are kept that wait for a replay. */
  hold(publications: readonly Publication[]): Held[] {
    return publications.map((publication) => ({
      frame: this.encode(publication),
      position: publication.position,
    }));
  }

  /** Looks for publications that were lost without a trace. */
  check(): void {
    for (const stream of this.#streams) this.#checks.add(stream);
  }

  /** Looks again where it could not be seen. */
  checkAgain(): void {
    this.#checks.again();
  }

  /** Tells subscribers of what has come and cannot be handed to them. */
  tellUnplaced(): void {
    this.#unplaced.tell();
  }

  /** The broker may have lost publications, of these channels or of all. */
  unsure(channels: Iterable<string> = this.#channels.keys()): void {
    for (const channel of channels) {
      const local = this.#channels.get(channel);
      if (!local) continue;
      if (local.stream) this.#checks.add(local.stream);
      else for (const subscription of local.subscriptions) subscription.lose();
    }
  }

  /** Hands a publication to every subscriber here: encoded once, whatever their number. */
  #fanOut({ subscriptions }: LocalChannel, publication: Publication): void {
    const { channel, except } = publication;
    const frame = this.encode(publication);
    for (const subscription of subscriptions) {
      const { connection, held } = subscription;
      if (connection.id === except) continue;
      if (held) held.add(frame);
      else connection.outbox.publish(frame, subscription);
    }
    this.observers.delivered(channel, subscriptions.size);
  }

  /** @param subscriptions - those that it speaks to: a channel that all have left may come back with others */
  #stream(channel: string, subscriptions: ReadonlySet<Subscription>): ChannelStream | undefined {
    const rule = this.catalog.historyOf(channel);
    if (!rule) return undefined;
    const stream = new ChannelStream(channel, rule, this.#histories, {
      next: (publication) => {
        const frame = this.encode(publication);
        for (const subscription of subscriptions) subscription.take(frame, publication.position as Position);
        this.observers.delivered(channel, subscriptions.size);
      },
      gap: (position) => {
        for (const subscription of subscriptions) subscription.skip(position);
      },
      unplaced: () => this.#unplaced.add(channel, subscriptions),
      checkDue: () => this.#checks.add(stream),
      failed: (error) => {
        // Those who had a question have left: nobody misses the answer.
        if (!this.#isFollowed(stream)) return;
        this.#checks.addFailed(stream);
        // That the broker is away is told once, not for each channel.
        if (isUnavailable(error)) return;
        this.observers.failed({ where: `the history of ${channel}`, error });
      },
    });
    return stream;
  }

  /** Not one whose channel all have left, also where others have come back to it. */
  #isFollowed(stream: ChannelStream): boolean {
    return this.streamOf(stream.channel) === stream;
  }

  #subscribe(channel: string, stream: ChannelStream | undefined): Promise<void> | void {
    const subscribed = this.broker.subscribe(channel);
    return stream ? Promise.resolve(subscribed).then(() => stream.open()) : subscribed;
  }

  async #unsubscribe(channel: string): Promise<void> {
    try {
      await this.broker.unsubscribe(channel);
    } catch (error) {
      this.observers.failed({ where: `broker.unsubscribe ${channel}`, error });
    }
  }
}

import type {
  Broker,
  HistoryPage,
  HistoryQuery,
  HistoryRule,
  Position,
  Publication,
  PublicationSink,
  PublishRule,
} from 'nestjs-channels';
import { ChannelHistory } from '../../lib/core/channel-history.js';

/** What nodes share their channels over: everything takes a turn of the event loop, and keeps its order. */
export class Bus {
  readonly #nodes = new Set<BusBroker>();
  readonly #histories = new Map<string, ChannelHistory>();
  /** The time of its histories, which passes only where a test lets it. */
  now = 0;
  #epochs = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** One more node. */
  node(): BusBroker {
    const node = new BusBroker(this);
    this.#nodes.add(node);
    return node;
  }

  leave(node: BusBroker): void {
    this.#nodes.delete(node);
  }

  /** What a channel has kept. */
  historyOf(channel: string): ChannelHistory {
    const known = this.#histories.get(channel);
    if (known) return known;
    const history = new ChannelHistory(`epoch-${(this.#epochs += 1)}`);
    this.#histories.set(channel, history);
    return history;
  }

  /** All histories are lost, as in a restart. */
  forget(): void {
    this.#histories.clear();
  }

  /** Resolves when `act` has been done, behind everything before it. */
  send(act: (node: BusBroker) => void, first: () => void = () => undefined): Promise<void> {
    const sent = this.#last.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      first();
      for (const node of this.#nodes) act(node);
    });
    this.#last = sent;
    return sent;
  }
}

/** A broker that is as slow as one in another process, and hands a node only what it has subscribed to. */
export class BusBroker implements Broker {
  readonly #channels = new Set<string>();
  #sink: PublicationSink = () => undefined;

  constructor(private readonly bus: Bus) {}

  start(sink: PublicationSink): void {
    this.#sink = sink;
  }

  async publish(publication: Publication, rule?: PublishRule): Promise<Position | undefined> {
    let placed = publication;
    let earlier: Position | undefined;
    const place = ({ history, key }: PublishRule): void => {
      const kept = this.bus.historyOf(publication.channel);
      earlier = key === undefined ? undefined : kept.find(key, this.bus.now);
      if (!earlier) placed = kept.add(publication, history, this.bus.now, key);
    };
    // As on a wire: only text travels.
    const text = (): string => JSON.stringify(placed);
    await this.bus.send(
      (node) => !earlier && node.receive(JSON.parse(text()) as Publication),
      () => rule && place(rule),
    );
    return earlier ?? placed.position;
  }

  async position(channel: string): Promise<Position> {
    await this.bus.send(() => undefined);
    return this.bus.historyOf(channel).position;
  }

  async history(channel: string, _rule: HistoryRule, query: HistoryQuery): Promise<HistoryPage> {
    await this.bus.send(() => undefined);
    return this.bus.historyOf(channel).read(query, this.bus.now);
  }

  subscribe(channel: string): Promise<void> {
    return this.bus.send((node) => node === this && this.#channels.add(channel));
  }

  unsubscribe(channel: string): Promise<void> {
    return this.bus.send((node) => node === this && this.#channels.delete(channel));
  }

  receive(publication: Publication): void {
    if (this.#channels.has(publication.channel)) this.#sink(publication);
  }

  close(): void {
    this.bus.leave(this);
  }
}

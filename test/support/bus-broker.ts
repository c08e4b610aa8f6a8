import type { Broker, Publication, PublicationSink } from 'nestjs-channels';

/** What nodes share their channels over: everything takes a turn of the event loop, and keeps its order. */
export class Bus {
  readonly #nodes = new Set<BusBroker>();
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

  /** Resolves when `act` has been done, behind everything before it. */
  send(act: (node: BusBroker) => void): Promise<void> {
    const sent = this.#last.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
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

  publish(publication: Publication): Promise<void> {
    // As on a wire: only text travels.
    const text = JSON.stringify(publication);
    return this.bus.send((node) => node.receive(JSON.parse(text) as Publication));
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

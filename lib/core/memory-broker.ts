import type { Broker, Publication, PublicationSink } from './broker.interface.js';

/** The broker of a single process: a publication is accepted and delivered in the same call. */
export class MemoryBroker implements Broker {
  #sink: PublicationSink = () => undefined;

  start(sink: PublicationSink): void {
    this.#sink = sink;
  }

  publish(publication: Publication): void {
    this.#sink(publication);
  }

  subscribe(): void {}

  unsubscribe(): void {}

  close(): void {
    this.#sink = () => undefined;
  }
}

/** The `Broker` port by messages to the parent process, whose `Exchange` it is. */
export class ParentBroker {
  onPublish;
  #asked = new Map();
  #ids = 0;
  #sink;

  start(sink) {
    this.#sink = sink;
    process.on('message', (message) => {
      if (message.type === 'publication') this.#sink(message.publication);
      else if (message.type === 'publish') this.onPublish?.(message.channel, message.data);
      else if (message.type === 'answer') this.#answer(message);
    });
  }

  publish(publication, rule) {
    return this.ask('publish', [publication, rule]);
  }

  position(channel, rule) {
    return this.ask('position', [channel, rule]);
  }

  history(channel, rule, query) {
    return this.ask('history', [channel, rule, query]);
  }

  subscribe(channel) {
    return this.ask('subscribe', [channel]);
  }

  unsubscribe(channel) {
    return this.ask('unsubscribe', [channel]);
  }

  close() {
    this.#sink = () => undefined;
  }

  ask(method, args) {
    const id = (this.#ids += 1);
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      // Where the parent is gone, nobody waits for the answer either.
      process.send({ type: 'ask', id, method, args }, () => undefined);
    });
  }

  #answer({ id, value }) {
    this.#asked.get(id)(value);
    this.#asked.delete(id);
  }
}

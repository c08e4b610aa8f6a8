import { WebSocket } from 'ws';

/** How often a client sends, on average; and how many messages at a time, at most. */
const SEND_EVERY_MS = 1_000;
const MAX_BURST = 3;

const CLIENT_OPTIONS = {
  connectTimeoutMs: 3_000,
  helloTimeoutMs: 3_000,
  minRetryDelayMs: 200,
  maxRetryDelayMs: 3_000,
};

/** Clients that send, listen, and have it written down in the ledger. */
export class Crowd {
  #members = [];
  /** How often a connection has been lost. */
  losses = 0;

  /** @param places for each client its url and its channels */
  constructor({ ChannelsClient, ledger, random, places, options = CLIENT_OPTIONS }) {
    this.ledger = ledger;
    this.random = random;
    for (const [index, place] of places.entries())
      this.#add(ChannelsClient, `client ${index}`, place, options);
  }

  /** Resolves when everybody is in all of its channels. */
  async open() {
    await Promise.all(this.#members.flatMap(({ joined }) => joined));
  }

  /** What those clients are doing that wait for answers. */
  get unanswered() {
    const waiting = this.#members.filter(({ sender }) => sender.open.size > 0);
    return waiting.map(({ name, client, sender }) => ({
      name,
      state: client.state,
      messages: sender.open.size,
    }));
  }

  startSending() {
    for (const member of this.#members) this.#sendLater(member);
  }

  stopSending() {
    for (const { timer } of this.#members) clearTimeout(timer);
  }

  close() {
    this.stopSending();
    for (const { client } of this.#members) client.close();
  }

  #add(ChannelsClient, name, { url, channels }, options) {
    const sender = this.ledger.sender(name);
    const client = new ChannelsClient(url, { ...options, WebSocket: tapped(sender) });
    let before;
    client.on('$state', ({ name: state }) => {
      if (before === 'open' && state === 'waiting') this.losses += 1;
      before = state;
      if (state === 'closed' && client.state.reason !== 'close_called') this.ledger.fail(`${name}: ended`);
    });
    client.on('$error', (error) => {
      if (error.code === 'internal') this.ledger.fail(`${name}: ${error.message}`);
    });
    const joined = channels.map((channel) => this.#listen(client.channel(channel), name, channel));
    this.#members.push({ name, client, sender, joined, sent: 0, timer: undefined });
  }

  #listen(handle, name, channel) {
    const reader = this.ledger.reader(name, channel);
    handle.on('item', ({ n }) => reader.item(n));
    handle.on('$gap', () => reader.gap());
    handle.on('$error', (error) => reader.fail(`refused: ${error.code}`));
    return new Promise((resolve) => {
      handle.on('$subscribed', ({ data, recovered }) => {
        reader.subscribed(data?.n, recovered);
        resolve();
      });
    });
  }

  #sendLater(member) {
    const delayMs = this.random.next() * 2 * SEND_EVERY_MS;
    member.timer = setTimeout(() => {
      for (let count = 1 + this.random.below(MAX_BURST); count > 0; count -= 1) this.#send(member);
      this.#sendLater(member);
    }, delayMs);
  }

  #send(member) {
    const { client, sender, name } = member;
    const n = member.sent++;
    sender.sent(n);
    client.send('put', { client: name, n }).then(
      (answer) => sender.answered(n, answer),
      (error) => sender.rejected(n, error),
    );
  }
}

/** Sockets that tell the ledger which messages were refused with a retryable error: they may be overtaken. */
function tapped(sender) {
  const numbers = new Map();
  return class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      this.on('message', (text) => {
        const { ack, error } = JSON.parse(text);
        if (ack === undefined) return;
        if (error?.retryable) sender.refused.set(numbers.get(ack), error.code);
        else numbers.delete(ack);
      });
    }

    send(text) {
      const { event, id, data } = JSON.parse(text);
      if (event === 'put') numbers.set(id, data.n);
      super.send(text);
    }
  };
}

// What has happened, compared with what docs/guarantees.md promises as it happens.

/** Violations that are written down; one is enough to fail. */
const MAX_VIOLATIONS = 20;

export class Ledger {
  violations = [];
  counts = { deliveries: 0, effects: 0, answers: 0, recovered: 0, gaps: 0, repeatedByNextLife: 0 };
  readers = [];
  /** Counts the lives of the histories. */
  epoch = 0;
  #senders = new Map();
  #failed = new Set();
  #streams = new Map();

  /** @param historySizeOf how many publications a channel keeps */
  constructor(historySizeOf) {
    this.historySizeOf = historySizeOf;
  }

  /** The broker has accepted a publication. `epoch` changes when it has forgotten its histories. */
  published(channel, n, epoch) {
    const stream = this.streamOf(channel);
    stream.indexes.set(n, stream.epochs.push(epoch) - 1);
  }

  streamOf(channel) {
    let stream = this.#streams.get(channel);
    if (!stream) this.#streams.set(channel, (stream = { indexes: new Map(), epochs: [] }));
    return stream;
  }

  reader(client, channel) {
    const reader = new Reader(this, `${client} in ${channel}`, channel);
    this.readers.push(reader);
    return reader;
  }

  sender(client) {
    const sender = new Sender(this, client);
    this.#senders.set(client, sender);
    return sender;
  }

  /** A handler has run; see {@link Sender.effect}. */
  effectOf(client, n, life) {
    this.#senders.get(client).effect(n, life);
  }

  /** Everybody has the newest publication and an answer to every message. */
  get isSettled() {
    return (
      this.readers.every((reader) => reader.isAtTail) &&
      [...this.#senders.values()].every(({ open }) => open.size === 0)
    );
  }

  /** What has not settled is a violation once there was time enough. */
  close() {
    for (const reader of this.readers) if (!reader.isAtTail) reader.fail('is not at the tail');
    for (const sender of this.#senders.values()) sender.close();
  }

  /** @param whose - of a client only the first counts: what follows is often the same again */
  fail(text, whose) {
    if (this.violations.length >= MAX_VIOLATIONS || this.#failed.has(whose)) return;
    this.violations.push(text);
    if (whose) this.#failed.add(whose);
  }
}

/** One client in one channel. */
class Reader {
  #last = -1;
  #isMarked = true;
  #isToldOfGap = false;
  #hasJoined = false;
  /** Index that the state of the last join includes, where there was one. */
  #state;
  /** Up to here a state that was loaded since the last gap has everything. */
  #covered = -1;
  #recent = [];

  constructor(ledger, name, channel) {
    this.ledger = ledger;
    this.name = name;
    this.channel = channel;
    this.stream = ledger.streamOf(channel);
  }

  get isAtTail() {
    return Math.max(this.#last, this.#covered) === this.#tail;
  }

  get #tail() {
    return this.stream.epochs.length - 1;
  }

  item(n) {
    this.ledger.counts.deliveries += 1;
    const index = this.stream.indexes.get(n);
    this.#note(`item ${index}`);
    if (index === undefined) return this.fail(`got ${n}, which nobody has published`);
    if (index <= this.#last) this.fail(`got ${index} behind ${this.#last}`);
    else if (!this.#isMarked && index !== this.#last + 1)
      this.fail(`got ${index} behind ${this.#last}, untold`);
    else if (this.#state !== undefined && index > this.#state + 1) {
      this.fail(`got ${index} behind a state that ends at ${this.#state}`);
    }
    this.#last = Math.max(this.#last, index);
    this.#isMarked = this.#isToldOfGap = false;
    this.#state = undefined;
  }

  /** @param state the newest publication that the state of the channel includes, if any */
  subscribed(state, recovered) {
    this.#note(recovered ? 'recovered' : `joined with ${state}`);
    if (recovered) {
      this.ledger.counts.recovered += 1;
    } else {
      if (this.#hasJoined && !this.#isToldOfGap) this.fail('joined again, not recovered and not told of it');
      this.#isMarked = true;
      this.#state = this.stream.indexes.get(state);
      this.#covered = this.#state ?? -1;
      if (this.#state < this.#last) this.fail(`got a state of ${this.#state} behind ${this.#last}`);
    }
    this.#hasJoined = true;
  }

  gap() {
    this.#note('gap');
    this.ledger.counts.gaps += 1;
    this.#isMarked = this.#isToldOfGap = true;
    this.#state = undefined;
    // Who is told of a gap loads a new state; here it is all that there is.
    this.#covered = this.#tail;
    const { epochs } = this.stream;
    const missed = this.#tail - this.#last;
    const isKept = this.#last >= 0 && epochs[this.#last] === this.ledger.epoch;
    if (isKept && missed <= this.ledger.historySizeOf(this.channel)) {
      this.fail(`was told of a gap, though all ${missed} publications were kept`);
    }
  }

  fail(text) {
    this.ledger.fail(`${this.name}: ${text} (${this.#recent.join(', ')})`, this);
  }

  #note(text) {
    this.#recent.push(text);
    if (this.#recent.length > 8) this.#recent.shift();
  }
}

/** The acked messages of one client, numbered from 0. */
class Sender {
  open = new Set();
  /** Answered with a retryable error, and with which: only then another may overtake. */
  refused = new Map();
  #lives = new Map();
  #ran = new Map();
  #first = -1;

  constructor(ledger, name) {
    this.ledger = ledger;
    this.name = name;
  }

  sent(n) {
    this.open.add(n);
  }

  answered(n, answer) {
    this.ledger.counts.answers += 1;
    if (!this.open.delete(n)) this.#fail(`${n} was answered twice`);
    if (answer?.n !== n) this.#fail(`${n} got the answer of ${answer?.n}`);
    if (this.#ran.get(n) !== answer?.life)
      this.#fail(`${n} was answered by ${answer?.life}, where it never ran`);
  }

  rejected(n, error) {
    this.open.delete(n);
    this.#fail(`${n} was rejected: ${error.code} ${error.message}`);
  }

  /** A handler has run, in one life of a server. Told before its answer leaves the server. */
  effect(n, life) {
    this.ledger.counts.effects += 1;
    if (!this.open.has(n)) this.#fail(`${n} ran again behind its answer`);
    this.#checkLife(n, life);
    if (this.#ran.has(n)) {
      this.ledger.counts.repeatedByNextLife += 1;
    } else if (n < this.#first && !this.refused.has(n)) {
      this.#fail(`${n} ran first behind ${this.#first}`);
    }
    this.#ran.set(n, life);
    this.#first = Math.max(this.#first, n);
  }

  close() {
    for (const n of this.open) {
      const ran = this.#ran.get(n) ?? 'no life';
      this.#fail(`${n} has no answer; ran in ${ran}, last refused with ${this.refused.get(n) ?? 'nothing'}`);
    }
  }

  #checkLife(n, life) {
    const { newest = -1, done = new Set() } = this.#lives.get(life) ?? {};
    if (done.has(n)) this.#fail(`${n} ran twice in ${life}`);
    else if (n < newest && !this.refused.has(n)) this.#fail(`${n} ran behind ${newest} in ${life}`);
    this.#lives.set(life, { newest: Math.max(newest, n), done: done.add(n) });
  }

  #fail(text) {
    this.ledger.fail(`${this.name}: ${text}`, this);
  }
}

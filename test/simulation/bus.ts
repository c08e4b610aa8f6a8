import type {
  Broker,
  HistoryPage,
  HistoryQuery,
  HistoryRule,
  Position,
  Publication,
  PublicationSink,
  PublishRule,
} from '../../lib/core/broker.interface.js';
import { MemoryBroker } from '../../lib/core/memory-broker.js';
import type { Random } from '../../lib/core/random.interface.js';
import type { Facts } from './facts.js';
import { CHANNELS, hasHistory, HISTORY, OPTIONS } from './rules.js';
import { OwnClock } from './time.js';

/** What becomes of a publication between the broker and one node. */
export type Fate = 'arrives' | 'lost' | 'twice' | 'late';

/** How long a call of a broker in another process takes, and a publication from there. */
const REMOTE_MS = 2;
const LATE_MS = 200;

/** A history is long: reading it takes a while. */
const READ_MS = 30;

/** The broker of all nodes: a real one, that writes down what it has accepted. */
export class Bus {
  readonly #nodes = new Set<BusBroker>();
  /** How many nodes are in a channel. */
  readonly #subscribed = new Map<string, number>();
  #memory!: MemoryBroker;
  #clock!: OwnClock;
  /** What the next publication meets, at which node. */
  #fate: Fate = 'arrives';
  #unlucky: BusBroker | undefined;
  #key: string | undefined;

  constructor(
    private readonly facts: Facts,
    private readonly random: Random,
    readonly isRemote: boolean,
  ) {
    this.#begin();
  }

  get pendingTimers(): number {
    return this.#clock.pendingTimers;
  }

  node(clock: OwnClock): BusBroker {
    const node = new BusBroker(this, clock);
    this.#nodes.add(node);
    return node;
  }

  /** The node has died, or has closed its broker. */
  drop(node: BusBroker): void {
    if (!this.#nodes.delete(node)) return;
    for (const channel of node.channels) this.unsubscribe(channel);
  }

  /** Everything that was kept is lost; nodes that live stay subscribed. */
  forget(): void {
    this.#memory.close();
    this.#clock.die();
    this.facts.ledger.forgotten();
    this.#begin();
    for (const channel of this.#subscribed.keys()) this.#memory.subscribe(channel);
  }

  /** Publishes, with a fate on the way to one node. */
  publish(publication: Publication, rule: PublishRule | undefined): Position | undefined {
    const { ledger, time } = this.facts;
    const { channel } = publication;
    const before = ledger.tail(channel);
    const earlier = ledger.underKey(channel, rule?.key, time.now);
    this.#key = rule?.key;
    const position = this.#memory.publish(publication, rule);
    const count = ledger.tail(channel) - before;
    this.facts.check('I2', !earlier || count === 0, `${channel}: published twice under ${rule?.key}`);
    this.facts.check('I7', count === 1 || earlier !== undefined, `${channel}: not published`);
    if (rule) ledger.checkPosition(position, earlier ?? ledger.last(channel));
    this.doom('arrives', undefined);
    return position;
  }

  /** What the next publication meets. */
  doom(fate: Fate, node: BusBroker | undefined): void {
    this.#fate = fate;
    this.#unlucky = node;
  }

  position(channel: string, rule: HistoryRule): Position {
    return this.#memory.position(channel, rule);
  }

  history(channel: string, rule: HistoryRule, query: HistoryQuery): HistoryPage {
    return this.#memory.history(channel, rule, query);
  }

  subscribe(channel: string): void {
    const count = this.#subscribed.get(channel) ?? 0;
    this.#subscribed.set(channel, count + 1);
    if (count === 0) this.#memory.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    const count = (this.#subscribed.get(channel) ?? 0) - 1;
    if (count > 0) {
      this.#subscribed.set(channel, count);
      return;
    }
    this.#subscribed.delete(channel);
    this.#memory.unsubscribe(channel);
  }

  /** I8: what is kept, within its bounds. */
  checkRoom(): void {
    const most = OPTIONS.maxHistories + this.#subscribed.size;
    this.facts.check('I8', this.#memory.size <= most, `${this.#memory.size} histories are kept`);
    for (const channel of CHANNELS) {
      if (!hasHistory(channel)) continue;
      const query = { limit: Infinity, maxBytes: Infinity };
      const { length } = this.#memory.history(channel, HISTORY, query).publications;
      this.facts.check('I8', length <= HISTORY.size, `${channel} keeps ${length} publications`);
    }
  }

  /** I9: nobody is in any channel. */
  checkEmpty(): void {
    const left = [...this.#subscribed.keys()].join(', ');
    this.facts.check('I9', left === '', `the broker still serves ${left}`);
  }

  /** Publications are as old as they get: none is left. Positions stay, within their bound. */
  checkForgotten(): void {
    this.checkRoom();
    for (const channel of CHANNELS) {
      if (!hasHistory(channel)) continue;
      const query = { limit: Infinity, maxBytes: Infinity };
      const { length } = this.#memory.history(channel, HISTORY, query).publications;
      this.facts.check('I9', length === 0, `${length} publications of ${channel} outlive their time`);
    }
  }

  close(): void {
    this.#memory.close();
    this.facts.check('I9', this.pendingTimers === 0, 'the broker leaves a timer behind');
  }

  #begin(): void {
    this.#clock = new OwnClock(this.facts.time);
    const { maxHistories } = OPTIONS;
    this.#memory = new MemoryBroker({ clock: this.#clock, random: this.random, maxHistories });
    this.#memory.start((publication) => this.#accepted(publication));
  }

  #accepted(publication: Publication): void {
    this.facts.ledger.accepted(publication, this.#key, this.facts.time.now);
    for (const node of this.#nodes) {
      if (!node.channels.has(publication.channel)) continue;
      const isDoomed = node === this.#unlucky && hasHistory(publication.channel);
      node.take(publication, isDoomed ? this.#fate : 'arrives');
    }
  }
}

/** The broker as one node sees it: at once in the same process, or behind a wire. */
export class BusBroker implements Broker {
  readonly channels = new Set<string>();
  #sink: PublicationSink = () => undefined;

  constructor(
    private readonly bus: Bus,
    private readonly clock: OwnClock,
  ) {}

  start(sink: PublicationSink): void {
    this.#sink = sink;
  }

  publish(
    publication: Publication,
    rule?: PublishRule,
  ): Promise<Position | undefined> | Position | undefined {
    return this.#ask(() => this.bus.publish(publication, rule));
  }

  position(channel: string, rule: HistoryRule): Promise<Position> | Position {
    return this.#ask(() => this.bus.position(channel, rule));
  }

  history(channel: string, rule: HistoryRule, query: HistoryQuery): Promise<HistoryPage> | HistoryPage {
    return this.#ask(() => this.bus.history(channel, rule, query), READ_MS);
  }

  subscribe(channel: string): Promise<void> | void {
    return this.#ask(() => {
      if (this.channels.has(channel)) return;
      this.channels.add(channel);
      this.bus.subscribe(channel);
    });
  }

  unsubscribe(channel: string): Promise<void> | void {
    return this.#ask(() => {
      if (this.channels.delete(channel)) this.bus.unsubscribe(channel);
    });
  }

  close(): void {
    this.bus.drop(this);
  }

  take(publication: Publication, fate: Fate): void {
    switch (fate) {
      case 'lost':
        return undefined;
      case 'late':
        this.clock.setTimeout(() => this.#sink(publication), LATE_MS);
        return undefined;
      case 'twice':
        this.#deliver(publication);
        return this.#deliver(publication);
      case 'arrives':
        return this.#deliver(publication);
    }
  }

  #deliver(publication: Publication): void {
    if (this.bus.isRemote) this.clock.setTimeout(() => this.#sink({ ...publication }), REMOTE_MS);
    else this.#sink(publication);
  }

  /** Calls that take equally long keep their order, as on one connection. */
  #ask<T>(work: () => T, ms = REMOTE_MS): Promise<T> | T {
    if (!this.bus.isRemote) return work();
    return new Promise((resolve) => this.clock.setTimeout(() => resolve(work()), ms));
  }
}

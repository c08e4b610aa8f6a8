import { CLOSE_CODES, closeVerdict } from '../protocol/index.js';
import { EncodedFrame } from './encoded-frame.js';
import type { Engine } from './engine.js';
import { HeldPublications } from './held-publications.js';
import type {
  PresenceChange,
  PresenceCount,
  PresenceMembers,
  PresenceStore,
} from './presence-store.interface.js';
import { SharedRead } from './shared-read.js';
import type { Subscription } from './subscription.js';

/**
 * Changes of one channel that are told one by one in a turn. Each is a frame for each subscriber: where a node with
 * thousands goes, they would cost the others their time, and the subscribers their connections. A list is shorter.
 */
const MAX_TOLD_IN_A_TURN = 100;

/**
 * A store that others share reads so many entries for each millisecond that it then has for itself: to Redis an entry
 * is about 2 us of its only thread, so that those who ask for one list all the time have a twentieth of it.
 */
const ENTRIES_PER_MS = 30;
const MAX_PAUSE_MS = 1_000;

/** Who is in a channel, encoded once for all who ask at a time. */
interface PresenceAnswer {
  readonly json: string;
  /** How many entries the store has read for it. */
  readonly count: number;
}

/** Who of this node is in one channel. */
interface LocalPresence {
  /** Those that are counted: each is in. */
  readonly subscriptions: Set<Subscription>;
  /** Their number, by principal. */
  readonly connections: Map<string, number>;
  /** What is told while a `@SubscribeChannel` method runs follows its ack. */
  readonly held: Map<Subscription, HeldPublications>;
  readonly members: SharedRead<PresenceAnswer>;
  /** How many changes there were in this turn. */
  changes: number;
}

/** Counts who of this node is in the channels with presence, and tells them who else comes and goes. */
export class Presence {
  readonly #channels = new Map<string, LocalPresence>();

  constructor(
    private readonly engine: Engine,
    readonly store: PresenceStore,
  ) {}

  /** Channels with presence in which this node has somebody. */
  get size(): number {
    return this.#channels.size;
  }

  async start(): Promise<void> {
    await this.store.start({
      node: this.engine.random.id(),
      graceMs: this.engine.options.presenceGraceMs,
      changed: (change) => this.#tell(change),
      failed: (error) => this.engine.observers.failed({ where: 'presence', error }),
    });
  }

  /** The method that lets it in is about to run: nothing may be told before its ack. */
  entering(subscription: Subscription): void {
    const { channel, joinBufferBytes } = subscription;
    if (!this.engine.catalog.hasPresence(channel)) return;
    this.#of(channel).held.set(subscription, new HeldPublications(joinBufferBytes));
  }

  /** The peer was told that it is in. */
  entered(subscription: Subscription): void {
    const { channel } = subscription;
    if (!this.engine.catalog.hasPresence(channel)) return;
    const local = this.#of(channel);
    this.#release(local, subscription);
    if (local.subscriptions.has(subscription)) return;
    local.subscriptions.add(subscription);
    this.#count(local, subscription, 1, false);
  }

  /** It is out, because somebody wanted it. */
  exited(subscription: Subscription): void {
    this.#exit(subscription, false);
  }

  /** Its connection has ended. */
  ended(subscription: Subscription, code: number): void {
    // Who was replaced is back already.
    this.#exit(subscription, closeVerdict(code) === 'reconnect' || code === CLOSE_CODES.Replaced.code);
  }

  /** What tells who is in a channel in which this node has somebody. Those who ask at a time share the answer. */
  members(channel: string): Promise<PresenceAnswer> | PresenceAnswer {
    return this.#of(channel).members.read();
  }

  #of(channel: string): LocalPresence {
    const known = this.#channels.get(channel);
    if (known) return known;
    const local: LocalPresence = {
      subscriptions: new Set(),
      connections: new Map(),
      held: new Map(),
      members: new SharedRead(
        () => this.#read(channel),
        ({ count }) => this.#pause(count),
      ),
      changes: 0,
    };
    this.#channels.set(channel, local);
    return local;
  }

  #read(channel: string): Promise<PresenceAnswer> | PresenceAnswer {
    const members = this.store.members(channel, this.engine.options.maxPresenceMembers);
    return members instanceof Promise ? members.then(encode) : encode(members);
  }

  #pause(entries: number): Promise<void> | void {
    const ms = Math.min(Math.floor(entries / ENTRIES_PER_MS), MAX_PAUSE_MS);
    if (ms > 0) return new Promise((resolve) => this.engine.clock.setTimeout(resolve, ms));
  }

  #exit(subscription: Subscription, isLost: boolean): void {
    const { channel } = subscription;
    const local = this.#channels.get(channel);
    if (!local) return;
    local.held.delete(subscription);
    if (local.subscriptions.delete(subscription)) this.#count(local, subscription, -1, isLost);
    if (local.subscriptions.size + local.held.size === 0) this.#channels.delete(channel);
  }

  #count(local: LocalPresence, subscription: Subscription, change: 1 | -1, isLost: boolean): void {
    const { channel, connection } = subscription;
    const { principal } = connection;
    const connections = (local.connections.get(principal) ?? 0) + change;
    if (connections > 0) local.connections.set(principal, connections);
    else local.connections.delete(principal);
    const count: PresenceCount = { channel, principal, connections, isLost };
    this.store.set(count);
  }

  #release({ held }: LocalPresence, subscription: Subscription): void {
    const waiting = held.get(subscription);
    held.delete(subscription);
    // Where a leave waits already, nothing may come in between.
    if (!waiting || subscription.isLeaving) return;
    if (waiting.isBroken) subscription.sendGap();
    for (const { frame } of waiting.publications) subscription.connection.outbox.push(frame);
  }

  #tell(change: PresenceChange): void {
    const local = this.#channels.get(change.channel);
    if (!local) return;
    local.changes++;
    if (local.changes === 1) this.engine.clock.afterTurn(() => this.#endTurn(local));
    if (local.changes <= MAX_TOLD_IN_A_TURN) this.#push(local, change);
  }

  /** Of the changes that were too many all are told in one: the list has them. */
  #endTurn(local: LocalPresence): void {
    const isTooMany = local.changes > MAX_TOLD_IN_A_TURN;
    local.changes = 0;
    if (!isTooMany) return;
    for (const held of local.held.values()) held.break();
    for (const subscription of local.subscriptions) {
      if (!local.held.has(subscription) && !subscription.isLeaving) subscription.sendGap();
    }
  }

  #push(local: LocalPresence, { type, channel, principal, connections }: PresenceChange): void {
    const { codec, observers } = this.engine;
    const data = JSON.stringify({ principal, connections });
    const frame = new EncodedFrame(codec.encodePublication(channel, `$${type}`, data));
    for (const [{ connection }, held] of local.held) {
      if (connection.principal !== principal) held.add(frame);
    }
    let told = 0;
    for (const subscription of local.subscriptions) {
      // Whom it is about knows it by the ack.
      if (subscription.connection.principal === principal) continue;
      if (local.held.has(subscription) || subscription.isLeaving) continue;
      subscription.connection.outbox.push(frame);
      told++;
    }
    observers.delivered(channel, told);
  }
}

function encode({ members, count }: PresenceMembers): PresenceAnswer {
  return { json: JSON.stringify({ members, count, more: members.length < count }), count };
}

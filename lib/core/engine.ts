import { createHash } from 'node:crypto';
import type { Codec } from '../codec/index.js';
import { CLOSE_CODES } from '../protocol/index.js';
import { Alarms } from './alarms.js';
import type { Broker, BrokerNode } from './broker.interface.js';
import { ChannelCatalog } from './channel-catalog.js';
import type { ChannelRegistry, RegisteredChannels } from './channel-registry.interface.js';
import { Claims } from './claims.js';
import type { Clock } from './clock.interface.js';
import type { ConnectionInfo } from './connection-info.js';
import { Connection } from './connection.js';
import { contradictions } from './contradictions.js';
import { Control } from './control.js';
import { Deadlines } from './deadlines.js';
import type { DedupStore } from './dedup-store.interface.js';
import { Dispatcher } from './dispatcher.js';
import { Departure } from './departure.js';
import { DrainQueue } from './drain-queue.js';
import type { Endpoint } from './endpoint.js';
import { tickOf } from './engine-tick.js';
import { sizesOf, tablesOf } from './engine-tables.js';
import { Entrance } from './entrance.js';
import { isUnavailable } from './errors.js';
import { Expiries } from './expiries.js';
import { FlushQueue } from './flush-queue.js';
import type { ErrorMapper } from './handler.interface.js';
import { Heartbeat } from './heartbeat.js';
import { Hub } from './hub.js';
import type { Identity } from './identity.js';
import { MemoryRevocationStore } from './memory-revocation-store.js';
import { LeftBuckets } from './left-buckets.js';
import { observedNode } from './observed-node.js';
import type { Observers } from './observers.js';
import type { ResolvedOptions } from './options.js';
import { ParkedLanes } from './parked-lanes.js';
import { Presence } from './presence.js';
import type { PresenceStore } from './presence-store.interface.js';
import { PrincipalRates } from './principal-rates.js';
import { Publisher } from './publisher.js';
import type { Random } from './random.interface.js';
import { Revocations } from './revocations.js';
import { SingleNode } from './single-node.js';
import type { Sizes, Tables } from './tables.js';
import { connectionRates, type ConnectionRates } from './throttle.js';
import type { Transport } from './transport.interface.js';
import { WorkCounter } from './work-counter.js';

/** How long the claim of a message holds when the node that runs it dies. */
const CLAIM_LEASE_MS = 30_000;

export interface EngineParts {
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly codec: Codec;
  readonly broker: Broker;
  readonly dedup: DedupStore;
  readonly presence: PresenceStore;
  readonly observers: Observers;
  readonly errors: ErrorMapper;
  /** Whether a plain connection's message with an `id` is answered by an ack. */
  readonly plainAcks: boolean;
}

/** Everything that the connections of one node share. */
export class Engine {
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly codec: Codec;
  readonly observers: Observers;
  readonly errors: ErrorMapper;
  readonly plainAcks: boolean;
  readonly flushQueue: FlushQueue;
  readonly drainQueue: DrainQueue;
  readonly deadlines: Deadlines;
  readonly alarms: Alarms;
  readonly dispatcher: Dispatcher;
  readonly hub: Hub;
  readonly catalog = new ChannelCatalog();
  readonly dedup: DedupStore;
  readonly claims: Claims;
  readonly presence: Presence;
  readonly control: Control;
  readonly expiries: Expiries;
  readonly revocations: Revocations;
  readonly publisher: Publisher;
  readonly entrance: Entrance;
  /** Whatever belongs to this node and has tables of its own adds them. */
  readonly tables: Tables;
  readonly rates: ConnectionRates;
  readonly leftBuckets: LeftBuckets;
  readonly parkedLanes: ParkedLanes;
  readonly departure: Departure;
  readonly principalRates: PrincipalRates;

  readonly #broker: Broker;
  readonly #heartbeat: Heartbeat;
  readonly #tickMs: number;
  readonly #leaseMs: number;
  readonly #connections = new Map<string, Connection>();
  readonly #byClient = new Map<string, Connection>();
  /** Code of the application that runs. */
  readonly #work: WorkCounter;
  /** Connections that have not ended. */
  readonly #open: WorkCounter;
  readonly #admissions = new Map<Connection, Promise<void>>();
  #accepted = 0;
  #checkedAt = 0;
  #ticker?: object;

  constructor(parts: EngineParts) {
    this.options = parts.options;
    this.clock = parts.clock;
    this.random = parts.random;
    this.codec = parts.codec;
    this.observers = parts.observers;
    this.errors = parts.errors;
    this.plainAcks = parts.plainAcks;
    this.#broker = parts.broker;
    this.#tickMs = tickOf(parts.options);
    this.flushQueue = new FlushQueue(
      this.clock,
      this.observers.measuresFlushes ? (ms): void => this.observers.flushed(ms) : undefined,
    );
    this.drainQueue = new DrainQueue(this.clock);
    this.deadlines = new Deadlines(this.clock, this.options.handlerTimeoutMs);
    this.alarms = new Alarms(this.clock);
    this.entrance = new Entrance(this.options, this.clock, this.random);
    this.rates = connectionRates(this.options);
    this.parkedLanes = new ParkedLanes(this.clock);
    this.leftBuckets = new LeftBuckets(this.options);
    const { clock, observers } = this;
    const { maxRateBuckets } = this.options;
    this.principalRates = new PrincipalRates({
      shared: this.#broker.rates,
      observers,
      clock,
      maxRateBuckets,
    });
    this.dispatcher = new Dispatcher(this);
    this.hub = new Hub(this.codec, this.#broker, this.observers, this.catalog, this.alarms);
    this.dedup = parts.dedup;
    this.#leaseMs = Math.min(CLAIM_LEASE_MS, this.options.dedupWindowMs);
    this.claims = new Claims(this.observers, this.clock, this.#leaseMs, this.options.dedupWindowMs);
    this.presence = new Presence(this, parts.presence);
    this.control = new Control(this, this.#broker.nodes ?? new SingleNode(this.random.id()));
    this.expiries = new Expiries(this.clock);
    this.revocations = new Revocations(this, this.#broker.revocations ?? new MemoryRevocationStore());
    this.publisher = new Publisher({
      broker: this.#broker,
      catalog: this.catalog,
      observers: this.observers,
      clock: this.clock,
      limits: this.options,
    });
    this.#work = new WorkCounter(this.clock);
    this.#open = new WorkCounter(this.clock);
    this.departure = new Departure({
      engine: this,
      broker: this.#broker,
      work: this.#work,
      open: this.#open,
      stop: () => this.#ticker && this.clock.clearTimer(this.#ticker),
    });
    this.#heartbeat = new Heartbeat(this.options, this.clock, this.random, this.#tickMs);
    this.tables = tablesOf(this);
    this.tables.add('clients', () => this.#byClient.size);
    this.tables.add('admissions', () => this.#admissions.size);
    this.tables.add('pulses', () => this.#heartbeat.size);
    this.tables.add('work', () => this.#work.running);
  }

  /** The node goes away: nobody new is taken on. */
  get draining(): boolean {
    return this.departure.isDraining;
  }

  /** The node is about to be gone: nothing new is begun, also not for those that are there. */
  get closing(): boolean {
    return this.departure.isClosing;
  }

  get connections(): ReadonlyMap<string, Connection> {
    return this.#connections;
  }

  /** The sizes of all tables of this node: nothing of it may grow while the number of connections does not. */
  sizes(): Sizes {
    const parts = { broker: this.#broker, dedup: this.dedup, presence: this.presence.store };
    return { ...this.tables.read(), ...sizesOf(parts) };
  }

  async start(): Promise<void> {
    await this.#broker.start(this.hub.deliver, this.#asBrokerSeesIt());
    await this.dedup.start({
      windowMs: this.options.dedupWindowMs,
      leaseMs: this.#leaseMs,
      evicted: (count) => this.observers.evicted(count),
    });
    await this.presence.start();
    await this.revocations.start();
    await this.control.start();
    const failed = (where: string, error: unknown): void => this.observers.failed({ where, error });
    await this.#broker.registry?.start({ clock: this.clock, failed });
    this.#ticker ??= this.clock.setInterval(() => this.#tick(), this.#tickMs);
    this.observers.started(observedNode(this));
  }

  /**
   * Tells those who publish without being a node what the channels here keep, now that all are defined, and the
   * operator where other nodes say something else.
   */
  async register(): Promise<void> {
    const { registry } = this.#broker;
    if (!registry) return;
    const definitions = [...this.catalog.definitions];
    const channels = definitions.map(({ pattern, options: { history } }) => ({ pattern, history }));
    await registry.register(channels);
    await this.#compare(registry, channels);
  }

  /** Nodes that differ lose each other's publications: that is seen best where one starts. */
  async #compare(registry: ChannelRegistry, channels: RegisteredChannels): Promise<void> {
    try {
      for (const text of contradictions(channels, await registry.read())) this.observers.warned(text);
    } catch (error) {
      // That the broker is away is told once, by the broker.
      if (isUnavailable(error)) return;
      this.observers.failed({ where: 'the comparison with the channels of other nodes', error });
    }
  }

  /** Takes a new peer on. Nothing of it is handled before {@link admit}. */
  accept(transport: Transport, endpoint: Endpoint, info: ConnectionInfo): Connection {
    const connection = new Connection(this, endpoint, transport, info);
    this.#connections.set(connection.id, connection);
    this.#open.begin();
    this.expiries.add(connection);
    this.revocations.saw(info);
    this.observers.opened(connection);
    return connection;
  }

  /** Runs `handleConnection` and opens the connection when it has settled, or closes it where it failed. */
  admit(connection: Connection, request: unknown): Promise<void> | void {
    const connected = connection.endpoint.connected(connection, request);
    if (!connected) return this.#opened(connection);

    this.begin();
    const admission = this.deadlines
      .limit(connected, 'handleConnection')
      .then(
        () => this.#opened(connection),
        (error: unknown) => this.#deny(connection, error),
      )
      .finally(() => {
        this.#admissions.delete(connection);
        this.finish();
      });
    this.#admissions.set(connection, admission);
    return admission;
  }

  /** A connection has ended. */
  forget(connection: Connection, code: number, reason: string): void {
    this.#connections.delete(connection.id);
    this.expiries.delete(connection);
    this.#heartbeat.delete(connection);
    const key = clientKey(connection);
    if (this.#byClient.get(key) === connection) this.#byClient.delete(key);
    connection.info.place?.leave();
    this.observers.closed(connection, code, reason);
    this.departure.forget(connection);

    this.begin();
    // `handleDisconnect` follows `handleConnection`, however long that takes.
    const admitted = this.#admissions.get(connection);
    const disconnected = admitted
      ? admitted.then(() => connection.endpoint.disconnected(connection, code))
      : connection.endpoint.disconnected(connection, code);
    void Promise.resolve(disconnected).finally(() => this.finish());
    this.#open.finish();
  }

  /**
   * The peer has named its client id: the older connection of the same client gives way, also where its `$hello` is
   * the later one, held up on a line that the client has left.
   */
  identify(connection: Connection, clientId: string): void {
    connection.clientId = clientId;
    const key = clientKey(connection);
    const known = this.#byClient.get(key);
    const isNewer = !known || known.order < connection.order;
    if (isNewer) this.#byClient.set(key, connection);
    const older = isNewer ? known : connection;
    // One that was told to go elsewhere has done so, by this node or another one.
    if (older && !older.isLeaving && !this.draining)
      older.close(CLOSE_CODES.Replaced.code, CLOSE_CODES.Replaced.reason);
  }

  nextOrder(): number {
    return this.#accepted++;
  }

  /** A new token of the same principal. */
  renew(connection: Connection, identity: Identity): void {
    this.expiries.delete(connection);
    connection.renew(identity);
    this.revocations.saw(identity);
    this.expiries.add(connection);
  }

  /** The same on every node and after a restart, and tells nothing about the principal. */
  principalTag(principal: string): string {
    if (principal === '') return '';
    return createHash('sha256').update(principal).digest().subarray(0, 16).toString('base64url');
  }

  /** Code of the application has begun to run; a shutdown waits for its {@link finish}. */
  begin(): void {
    this.#work.begin();
  }

  finish(): void {
    this.#work.finish();
  }

  /**
   * Moves clients to other nodes, lets running handlers finish and their answers leave, closes every connection with
   * 1012, awaits `handleDisconnect`, and ends what is left. May be called twice.
   */
  shutdown(): Promise<void> {
    return this.departure.shutdown();
  }

  #asBrokerSeesIt(): BrokerNode {
    const { clock, random, hub, observers } = this;
    return {
      clock,
      random,
      unsure: (channels) => hub.unsure(channels),
      stateChanged: (state, reason) => observers.brokerChanged(state, reason),
      probed: (ms) => observers.probed(ms),
      warn: (text) => observers.warned(text),
      failed: (where, error) => observers.failed({ where, error }),
    };
  }

  #opened(connection: Connection): void {
    if (connection.state !== 'opening') return;
    connection.open();
    this.#heartbeat.add(connection);
  }

  #deny(connection: Connection, error: unknown): void {
    const { code, reason } = this.errors.toClose(error);
    connection.close(code, reason);
  }

  #tick(): void {
    const now = this.clock.now();
    this.deadlines.sweep(now);
    this.claims.sweep(now);
    this.#heartbeat.sweep(now);
    this.entrance.sweep(now);
    this.principalRates.sweep(now);
    this.leftBuckets.sweep(now);
    this.hub.checkAgain();
    this.hub.tellUnplaced();
    this.observers.swept();
    if (now < this.#checkedAt + this.options.positionCheckMs) return;
    this.#checkedAt = now;
    this.hub.check();
  }
}

function clientKey(connection: Connection): string {
  // A client id has no line break, so the two parts cannot run into each other.
  return `${connection.info.principal}\n${connection.clientId}`;
}

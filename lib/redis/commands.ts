import type { Cluster, Redis } from 'ioredis';
import type { Clock, Timer } from '../core/clock.interface.js';
import { commandConnection, isCluster, retryDelay, type ConnectionParts } from './connections.js';
import { reasonOf } from './redis-error.js';
import { SCRIPTS } from './scripts.js';

/** What {@link Commands} needs of its link. */
export interface CommandsParts extends ConnectionParts {
  readonly clock: Clock;
  /** It can be used, for the first time or again. */
  readonly ready: () => void;
  readonly lost: () => void;
  /** A node of a Cluster has come or gone, and may have taken publications with it. */
  readonly changed: () => void;
}

/** A connection for commands, in a Cluster to each of its nodes: made again when it ends, and with all our scripts. */
export class Commands {
  readonly redis: Redis | Cluster;
  readonly #parts: CommandsParts;
  #retry?: Timer;
  /** How often it has ended since it was last ready. */
  #ends = 0;
  #isLoaded = false;
  #isClosed = false;
  #trouble = 'Redis has not answered yet';

  constructor(parts: CommandsParts) {
    this.#parts = parts;
    const redis = (this.redis = commandConnection(parts));
    redis.on('error', (error) => (this.#trouble = reasonOf(error)));
    redis.on('node error', (error: unknown) => (this.#trouble = reasonOf(error)));
    redis.on('ready', () => void this.#loadAll());
    redis.on('close', () => this.#lost());
    redis.on('end', () => this.#connectLater());
    redis.on('-node', () => parts.changed());
    redis.on('+node', (node: Redis) => {
      void this.#load(node);
      parts.changed();
    });
  }

  /** Whether commands can be sent. */
  get isConnected(): boolean {
    return this.redis.status === 'ready';
  }

  /** Whether it knows the scripts as well. */
  get isReady(): boolean {
    return this.isConnected && this.#isLoaded;
  }

  /** What came last that speaks against it. */
  get trouble(): string {
    return this.#trouble;
  }

  /** All masters of a Cluster, or the only one. */
  get masters(): readonly Redis[] {
    return isCluster(this.redis) ? this.redis.nodes('master') : [this.redis];
  }

  /** Where it fails it is tried again. */
  connect(): void {
    this.redis.connect().catch(() => undefined);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#retry) this.#parts.clock.clearTimer(this.#retry);
    this.redis.disconnect();
  }

  #lost(): void {
    if (!this.#isClosed) this.#parts.lost();
  }

  /** ioredis gives up for good where it hears of a failover while it asks who the master is. */
  #connectLater(): void {
    if (this.#isClosed) return;
    this.#lost();
    const { clock, random } = this.#parts;
    this.#retry = clock.setTimeout(() => this.connect(), retryDelay(++this.#ends, random));
  }

  async #loadAll(): Promise<void> {
    this.#ends = 0;
    this.#isLoaded = false;
    await Promise.all(this.masters.map((redis) => this.#load(redis)));
    this.#isLoaded = true;
    if (!this.#isClosed) this.#parts.ready();
  }

  /**
   * Before a script is asked for: one that Redis does not know is sent again with its text, and what was asked in
   * between comes first. One that cannot be loaded is sent so.
   */
  async #load(redis: Redis): Promise<void> {
    if (redis.options.readOnly) return;
    await Promise.allSettled(SCRIPTS.map(({ lua }) => redis.script('LOAD', lua)));
  }
}

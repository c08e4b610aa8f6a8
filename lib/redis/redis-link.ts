import type { Cluster, Redis } from 'ioredis';
import type { BrokerState } from '../core/broker.interface.js';
import type { Clock, Timer } from '../core/clock.interface.js';
import { ChannelsError } from '../core/errors.js';
import type { Random } from '../core/random.interface.js';
import { commandConnection, isCluster, retryDelay, subscriberConnection } from './connections.js';
import { PendingCommands } from './pending-commands.js';
import { reasonOf } from './redis-error.js';
import {
  resolveLinkOptions,
  type RedisLinkOptions,
  type ResolvedLinkOptions,
} from './redis-options.interface.js';
import type { Script } from './script.js';
import { SCRIPTS } from './scripts.js';
import { WAKE } from './scripts/wake.js';
import { Subscriber } from './subscriber.js';
import type { MessageListener } from './subscriptions.js';

/** How often answers that do not come are looked for. */
const SWEEP_MS = 250;

/** What a {@link RedisLink} tells the node. */
export interface LinkListener {
  readonly clock: Clock;
  readonly random: Random;
  stateChanged(state: BrokerState, reason: string): void;
}

/**
 * The way of one node to Redis: a connection for commands, and one that brings what is published. It is `ready` when
 * both are.
 */
export class RedisLink {
  readonly #options: ResolvedLinkOptions;
  readonly #onBack: (() => void)[] = [];
  readonly #onTick: ((now: number) => void)[] = [];
  #commands?: Redis | Cluster;
  #subscriber?: Subscriber;
  #pending?: PendingCommands;
  #listener?: LinkListener;
  #ticker?: Timer;
  #retry?: Timer;
  /** How often the connection for commands has ended since it was last ready. */
  #ends = 0;
  #state: BrokerState = 'ready';
  /** What came last that speaks against a connection for commands. */
  #trouble = 'Redis has not answered yet';
  #started?: () => void;
  #hasLost = false;
  #isLoaded = false;

  /** @throws TypeError where an option has no meaning */
  constructor(options: RedisLinkOptions) {
    this.#options = resolveLinkOptions(options);
  }

  /** Begins the name of every key and channel. */
  get prefix(): string {
    return this.#options.prefix;
  }

  get state(): BrokerState {
    return this.#state;
  }

  /** Whether commands can be sent. */
  get isConnected(): boolean {
    return this.#commands?.status === 'ready';
  }

  /** @throws Error where Redis is away and the node must not start without it */
  async start(listener: LinkListener): Promise<void> {
    const { clock, random } = listener;
    const { connection, prefix, probeIntervalMs, commandTimeoutMs, startTimeoutMs } = this.#options;
    this.#listener = listener;
    this.#pending = new PendingCommands(clock, this.#options);
    // Later than the answers that are missed: those who wait for them are told so.
    const parts = { connection, random, silenceMs: commandTimeoutMs + 2 * SWEEP_MS };
    const commands = (this.#commands = commandConnection(parts));
    const probeChannel = `${prefix}:probe:${random.id()}`;
    this.#subscriber = new Subscriber({
      clock,
      connect: () => subscriberConnection(parts, commands),
      retryDelay: (attempt) => retryDelay(attempt, random),
      connectTimeoutMs: startTimeoutMs,
      probeChannel,
      probeIntervalMs,
      probe: () => this.#probe(probeChannel),
      attached: () => this.#settle(),
      detached: (state, reason) => this.#lost(state, reason),
    });
    this.#ticker = clock.setInterval(() => this.#tick(clock.now()), SWEEP_MS);
    commands.on('error', (error) => (this.#trouble = reasonOf(error)));
    commands.on('node error', (error: unknown) => (this.#trouble = reasonOf(error)));
    commands.on('ready', () => void this.#loadAll(commands));
    commands.on('close', () => this.#lost('away', this.#trouble));
    commands.on('end', () => this.#connectLater(commands, listener));
    // A node of a cluster that comes or goes may have taken publications with it.
    commands.on('-node', () => this.#unsure());
    commands.on('+node', (redis: Redis) => {
      void this.#load(redis);
      this.#unsure();
    });
    // Where it fails it is tried again; the `error` above says why.
    commands.connect().catch(() => undefined);
    this.#subscriber.start();
    await this.#startWithin(clock, startTimeoutMs);
  }

  /** Calls back when everything is there again behind a loss of either connection: messages may be missing. */
  onBack(callback: () => void): void {
    this.#onBack.push(callback);
  }

  /** Calls back a few times a second. */
  onTick(callback: (now: number) => void): void {
    this.#onTick.push(callback);
  }

  /**
   * Runs a script where its keys live.
   *
   * @throws ChannelsError `unavailable` where Redis is away, silent, or cannot do it now
   */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#send((redis) => evaluate(redis, script, keys, args), bytesOf(args));
  }

  /**
   * Runs a script, and waits for a replica that has its writes.
   *
   * @returns what the script has returned
   * @throws ChannelsError as {@link run} does, and where no replica has confirmed it in time: it was done nevertheless
   */
  async runReplicated(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    withinMs: number,
  ): Promise<unknown> {
    const [result, replicas] = await this.#send(
      (redis) => evaluateAndWait(redis, script, keys, args, withinMs),
      bytesOf(args),
    );
    if (Number(replicas) > 0) return result;
    throw new ChannelsError(
      'unavailable',
      `No replica has confirmed it within ${withinMs} ms: it was done, and may be lost with its master`,
    );
  }

  /**
   * @param channel - with the prefix
   * @param key - in a Cluster, what is published with the same key goes through the same node, and keeps its order
   * @throws ChannelsError as {@link run} does
   */
  publish(channel: string, message: string, key?: string): Promise<unknown> {
    return this.#send(
      (redis) =>
        key !== undefined && isCluster(redis)
          ? evaluate(redis, WAKE, [key], [channel, message])
          : redis.publish(channel, message),
      Buffer.byteLength(message),
    );
  }

  /** @throws ChannelsError as {@link run} does */
  info(section: string): Promise<string> {
    return this.#send((redis) => redis.info(section));
  }

  /**
   * Resolves when what is published to the channel from now on will come. Where Redis is away the interest stays, and
   * what is published comes when Redis is back, until {@link unlisten}.
   *
   * @param channel - with the prefix
   * @throws ChannelsError `unavailable` where Redis is away, or silent
   */
  listen(channel: string, listener: MessageListener): Promise<void> {
    const subscriber = this.#subscriber;
    if (!subscriber || !this.#pending) return Promise.reject(notStarted());
    return this.#pending.add(() => subscriber.listen(channel, listener));
  }

  unlisten(channel: string): void {
    this.#subscriber?.unlisten(channel);
  }

  close(): void {
    if (this.#ticker) this.#listener?.clock.clearTimer(this.#ticker);
    if (this.#retry) this.#listener?.clock.clearTimer(this.#retry);
    this.#ticker = undefined;
    this.#listener = undefined;
    this.#subscriber?.close();
    this.#commands?.disconnect();
    this.#commands = undefined;
  }

  #send<T>(command: (redis: Redis | Cluster) => Promise<T>, bytes?: number): Promise<T> {
    const redis = this.#commands;
    if (!redis || !this.#pending) return Promise.reject(notStarted());
    if (redis.status !== 'ready') {
      return Promise.reject(
        new ChannelsError('unavailable', 'Redis is away', { cause: new Error(this.#trouble) }),
      );
    }
    return this.#pending.add(() => command(redis), bytes);
  }

  async #startWithin(clock: Clock, ms: number): Promise<void> {
    const { awayAtStart } = this.#options;
    const isThere = await new Promise<boolean>((resolve) => {
      const timer = clock.setTimeout(() => resolve(false), ms);
      this.#started = () => {
        clock.clearTimer(timer);
        resolve(true);
      };
      this.#settle();
    });
    this.#started = undefined;
    if (isThere) return;
    // A user of Redis may be allowed to run commands, and not to subscribe.
    const trouble = (this.isConnected && this.#subscriber?.trouble) || this.#trouble;
    if (awayAtStart === 'degrade') {
      this.#lost('away', trouble);
      return;
    }
    this.close();
    throw new Error(
      `Redis is not there: ${trouble} (waited ${ms} ms, startTimeoutMs). ` +
        "Start it, correct the option `connection`, or start without it by awayAtStart: 'degrade'.",
    );
  }

  #lost(state: 'away' | 'deaf', reason: string): void {
    this.#hasLost = true;
    if (this.#state === 'away' || !this.#listener || this.#started) return;
    if (this.#state === state) return;
    this.#state = state;
    this.#listener.stateChanged(state, reason);
  }

  /** Whether everything is there. */
  #settle(): void {
    if (!this.#listener || !this.#isLoaded || !this.isConnected || !this.#subscriber?.isAttached) return;
    this.#started?.();
    if (this.#state !== 'ready') {
      this.#state = 'ready';
      this.#listener.stateChanged('ready', 'Redis is back');
    }
    if (this.#hasLost) this.#unsure();
    this.#hasLost = false;
  }

  #unsure(): void {
    if (this.#state === 'ready' && !this.#started) for (const callback of this.#onBack) callback();
  }

  /**
   * The connection for commands has given up. That of ioredis does so where it hears of a failover while it asks who
   * the master is.
   */
  #connectLater(commands: Redis | Cluster, { clock, random }: LinkListener): void {
    if (this.#commands !== commands) return;
    this.#lost('away', this.#trouble);
    const connect = (): void => void commands.connect().catch(() => undefined);
    this.#retry = clock.setTimeout(connect, retryDelay(++this.#ends, random));
  }

  async #loadAll(commands: Redis | Cluster): Promise<void> {
    this.#ends = 0;
    this.#isLoaded = false;
    const servers = isCluster(commands) ? commands.nodes('master') : [commands];
    await Promise.all(servers.map((redis) => this.#load(redis)));
    this.#isLoaded = true;
    this.#settle();
  }

  /**
   * Before a script is asked for: one that Redis does not know is sent again with its text, and what was asked in
   * between comes first. One that cannot be loaded is sent so.
   */
  async #load(redis: Redis): Promise<void> {
    if (redis.options.readOnly) return;
    await Promise.allSettled(SCRIPTS.map(({ lua }) => redis.script('LOAD', lua)));
  }

  /** By each master of a Cluster: what comes through one says nothing about the others. */
  #probe(probeChannel: string): string[] {
    const commands = this.#commands;
    if (!commands) return [];
    const servers = isCluster(commands) ? commands.nodes('master') : [commands];
    return servers
      .filter(({ status }) => status === 'ready')
      .map((redis) => {
        const way = `${redis.options.host}:${redis.options.port}`;
        // What has not come back counts, whatever the reason.
        redis.publish(probeChannel, way).catch(() => undefined);
        return way;
      });
  }

  #tick(now: number): void {
    this.#pending?.sweep(now);
    for (const callback of this.#onTick) callback(now);
  }
}

function bytesOf(args: readonly (string | number)[]): number {
  return args.reduce<number>((sum, arg) => sum + (typeof arg === 'string' ? Buffer.byteLength(arg) : 8), 0);
}

/** By its name, which is short; with its text where that node of Redis has not seen it yet. */
async function evaluate(
  redis: Redis | Cluster,
  { sha, lua }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(lua, keys.length, ...keys, ...args);
  }
}

/** WAIT asks about what its own connection has written, and so goes right behind it. */
async function evaluateAndWait(
  redis: Redis | Cluster,
  { sha, lua }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
  withinMs: number,
): Promise<[result: unknown, replicas: unknown]> {
  const rest = [keys.length, ...keys, ...args] as const;
  const results = await redis
    .pipeline()
    .evalsha(sha, ...rest)
    .wait(1, withinMs)
    .exec();
  const [run, waited] = results ?? [];
  if (!run || !waited) throw new ChannelsError('unavailable', 'Redis has closed the connection');
  if (run[0]?.message.startsWith('NOSCRIPT')) {
    const again = await redis
      .pipeline()
      .eval(lua, ...rest)
      .wait(1, withinMs)
      .exec();
    return settled(again ?? []);
  }
  return settled([run, waited]);
}

function settled([run, waited]: readonly (readonly [Error | null, unknown])[]): [unknown, unknown] {
  const error = run?.[0] ?? waited?.[0];
  if (error || !run || !waited)
    throw error ?? new ChannelsError('unavailable', 'Redis has closed the connection');
  return [run[1], waited[1]];
}

function notStarted(): ChannelsError {
  return new ChannelsError('unavailable', 'the connection to Redis is closed, or was not started');
}

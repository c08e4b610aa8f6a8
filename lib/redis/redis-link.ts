import type { Cluster, Redis } from 'ioredis';
import type { BrokerState } from '../core/broker.interface.js';
import type { Clock, Timer } from '../core/clock.interface.js';
import { ChannelsError } from '../core/errors.js';
import type { Random } from '../core/random.interface.js';
import { Commands } from './commands.js';
import { isCluster, retryDelay, subscriberConnection } from './connections.js';
import { databaseOf } from './database.js';
import { channelPrefix } from './keys.js';
import { PendingCommands } from './pending-commands.js';
import {
  resolveLinkOptions,
  type RedisLinkOptions,
  type ResolvedLinkOptions,
} from './redis-options.interface.js';
import type { Script } from './script.js';
import { WAKE } from './scripts/wake.js';
import { probeMessage, Subscriber, type Probe } from './subscriber.js';
import type { MessageListener } from './subscriptions.js';

/** How often answers that do not come are looked for. */
const SWEEP_MS = 250;

/** What a command takes that waits, beside its keys and arguments. */
const COMMAND_BYTES = 512;

/** A connection for commands, and what waits for it. */
interface Line {
  readonly connection: Commands;
  readonly pending: PendingCommands;
}

/** What a {@link RedisLink} tells the node. */
export interface LinkListener {
  readonly clock: Clock;
  readonly random: Random;
  stateChanged(state: BrokerState, reason: string): void;
  probed(ms: number): void;
}

/**
 * The way of one node to Redis: a connection for commands, one that brings what is published, and, where publications
 * wait for a replica, one for these, on which nothing else waits with them. It is `ready` when all are.
 */
export class RedisLink {
  readonly #options: ResolvedLinkOptions;
  readonly #onBack: (() => void)[] = [];
  readonly #onTick: ((now: number) => void)[] = [];
  /** The number of the database. */
  readonly database: number;
  #commands?: Line;
  #replicated?: Line;
  #subscriber?: Subscriber;
  #listener?: LinkListener;
  #ticker?: Timer;
  #state: BrokerState = 'ready';
  #started?: () => void;
  #hasLost = false;
  #isCorked = false;

  /**
   * @param replicatedMs - for how long {@link runReplicated} waits; 0 where it is not used
   * @throws TypeError where an option has no meaning
   */
  constructor(
    options: RedisLinkOptions,
    private readonly replicatedMs = 0,
  ) {
    this.#options = resolveLinkOptions(options);
    this.database = databaseOf(this.#options.connection);
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
    return this.#commands?.connection.isConnected ?? false;
  }

  /** @throws Error where Redis is away and the node must not start without it */
  async start(listener: LinkListener): Promise<void> {
    const { clock, random } = listener;
    const { connection, prefix, probeIntervalMs, commandTimeoutMs, startTimeoutMs } = this.#options;
    this.#listener = listener;
    // Later than the answers that are missed: those who wait for them are told so.
    const parts = { connection, random, silenceMs: commandTimeoutMs + 2 * SWEEP_MS };
    const line = (): Line => {
      const made = new Commands({
        ...parts,
        clock,
        ready: () => this.#settle(),
        lost: () => this.#lost('away', made.trouble),
        changed: () => this.#unsure(),
      });
      return { connection: made, pending: new PendingCommands(clock, this.#options) };
    };
    const commands = (this.#commands = line());
    if (this.replicatedMs > 0) this.#replicated = line();
    const probeChannel = `${channelPrefix(prefix, this.database)}:probe:${random.id()}`;
    this.#subscriber = new Subscriber({
      clock,
      connect: () => subscriberConnection(parts, commands.connection.redis),
      retryDelay: (attempt) => retryDelay(attempt, random),
      connectTimeoutMs: startTimeoutMs,
      probeChannel,
      probeIntervalMs,
      probe: (number) => this.#probe(probeChannel, number),
      probed: (ms) => listener.probed(ms),
      attached: () => this.#settle(),
      detached: (state, reason) => this.#lost(state, reason),
    });
    this.#ticker = clock.setInterval(() => this.#tick(clock.now()), SWEEP_MS);
    for (const { connection: made } of this.#lines) made.connect();
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
    return this.#send(this.#commands, (redis) => evaluate(redis, script, keys, args), bytesOf(keys, args));
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
  ): Promise<unknown> {
    const withinMs = this.replicatedMs;
    const [result, replicas] = await this.#send(
      this.#replicated,
      (redis) => evaluateAndWait(redis, script, keys, args, withinMs),
      bytesOf(keys, args),
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
      this.#commands,
      (redis) =>
        key !== undefined && isCluster(redis)
          ? evaluate(redis, WAKE, [key], [channel, message])
          : redis.publish(channel, message),
      bytesOf([channel], [message]),
    );
  }

  /** @throws ChannelsError as {@link run} does */
  info(section: string): Promise<string> {
    return this.#send(this.#commands, (redis) => redis.info(section));
  }

  /**
   * Resolves when what is published to the channel from now on will come. Where that cannot be said now the interest
   * stays, and what is published comes when Redis is back, until {@link unlisten}.
   *
   * @param channel - with the prefix
   * @throws ChannelsError `unavailable` where Redis is away or silent, or `maxPending` commands wait for it
   */
  listen(channel: string, listener: MessageListener): Promise<void> {
    const [subscriber, commands] = [this.#subscriber, this.#commands];
    if (!subscriber || !commands) return Promise.reject(notStarted());
    const listening = subscriber.listen(channel, listener);
    // Nobody waits for it where too much does.
    listening.catch(() => undefined);
    return commands.pending.add(() => listening);
  }

  unlisten(channel: string): void {
    this.#subscriber?.unlisten(channel);
  }

  close(): void {
    if (this.#ticker) this.#listener?.clock.clearTimer(this.#ticker);
    this.#ticker = undefined;
    this.#listener = undefined;
    this.#subscriber?.close();
    for (const { connection } of this.#lines) connection.close();
    this.#commands = undefined;
    this.#replicated = undefined;
  }

  get #lines(): readonly Line[] {
    return [this.#commands, this.#replicated].filter((line) => line !== undefined);
  }

  #send<T>(
    line: Line | undefined,
    command: (redis: Redis | Cluster) => Promise<T>,
    bytes = COMMAND_BYTES,
  ): Promise<T> {
    if (!line) return Promise.reject(notStarted());
    const { connection, pending } = line;
    if (connection.isConnected) {
      this.#cork(connection.redis);
      return pending.add(() => command(connection.redis), bytes);
    }
    return Promise.reject(
      new ChannelsError('unavailable', 'Redis is away', { cause: new Error(connection.trouble) }),
    );
  }

  #cork(redis: Redis | Cluster): void {
    if (this.#isCorked || isCluster(redis)) return;
    const { stream } = redis;
    this.#isCorked = true;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
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
    const missing = this.#lines.find(({ connection }) => !connection.isReady)?.connection;
    const trouble = (missing ?? this.#subscriber)?.trouble ?? '';
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
    if (!this.#listener || !this.#subscriber?.isAttached) return;
    if (!this.#lines.every(({ connection }) => connection.isReady)) return;
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

  /** By each master of a Cluster: what comes through one says nothing about the others. */
  #probe(probeChannel: string, number: number): Probe[] {
    const masters = this.#commands?.connection.masters ?? [];
    return masters
      .filter(({ status }) => status === 'ready')
      .map((redis) => {
        const way = `${redis.options.host}:${redis.options.port}`;
        return { way, sent: redis.publish(probeChannel, probeMessage(way, number)) };
      });
  }

  #tick(now: number): void {
    for (const { pending } of this.#lines) pending.sweep(now);
    for (const callback of this.#onTick) callback(now);
  }
}

function bytesOf(keys: readonly string[], args: readonly (string | number)[]): number {
  let bytes = COMMAND_BYTES;
  for (const key of keys) bytes += Buffer.byteLength(key);
  for (const arg of args) bytes += typeof arg === 'string' ? Buffer.byteLength(arg) : 8;
  return bytes;
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

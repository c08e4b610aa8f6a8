import {
  Inject,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { Clock } from '../core/clock.interface.js';
import type { NodeHealth, NodeState } from '../core/node-health.interface.js';
import { ChannelsService } from '../nest/channels.service.js';
import { CHANNELS_CLOCK } from '../nest/tokens.js';
import { LoopDelay } from './loop-delay.js';

/** Options of {@link ChannelsHealthIndicator.isLive}. */
export interface LivenessOptions {
  /**
   * How late the event loop may run what is due, in milliseconds: a whole number of at least 1. Far above what a burst
   * or a collection of garbage takes, for the answer to a red liveness is to end the process with all its connections.
   *
   * @default 5_000
   */
  readonly maxLoopDelayMs?: number;
}

const DEFAULTS = { maxLoopDelayMs: 5_000 } as const;

/** What `message` says of a node that takes nobody on. */
const UNFIT: Readonly<Record<Exclude<NodeState, 'up'>, string>> = {
  starting: 'the node has not started',
  draining: 'the node is draining',
  stopped: 'the node has stopped',
};

/**
 * Health of this node for `@nestjs/terminus`: a provider of the module that imports the `TerminusModule`. Readiness
 * says whether a balancer should send peers here, liveness whether the process is of any use. Both have the same
 * figures: `state`, `broker`, `loopDelayMs` and `connections`; what each means stands in docs/operations.md.
 *
 * @example
 * ```ts
 * @Get()
 * @HealthCheck()
 * ready() {
 *   return this.health.check([() => this.channels.isReady('channels')]);
 * }
 * ```
 * @publicApi
 */
@Injectable()
export class ChannelsHealthIndicator implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  readonly #loop: LoopDelay;
  #isLeaving = false;

  /** @internal */
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly channels: ChannelsService,
    @Inject(CHANNELS_CLOCK) clock: Clock,
  ) {
    this.#loop = new LoopDelay(clock);
  }

  /** Begins to look at the event loop, by a timer that keeps no process alive. */
  onModuleInit(): void {
    this.#loop.start();
  }

  /**
   * Turns readiness red before the node drains. Nest awaits this hook module by module, from the root module inwards,
   * and the global ones last: that of the `ChannelsModule` waits for all of the application's.
   */
  onModuleDestroy(): void {
    this.#isLeaving = true;
  }

  /** The last hook of a shutdown: a drain is looked at until it is over. */
  onApplicationShutdown(): void {
    this.#loop.close();
  }

  /**
   * Down while the node must get no new peers: before it has started, from `onModuleDestroy` of this indicator on, and
   * while its broker is `away` or `deaf`. `message` says which. A slow event loop is no reason: the other nodes would get its
   * peers, and be slow next.
   */
  isReady<const Key extends string>(key: Key): HealthIndicatorResult<Key> {
    const health = this.#health();
    return this.#result(key, health, whyNotReady(health));
  }

  /**
   * Down where only a new process helps: the event loop is too late, or the node has stopped. Never because of the
   * broker: that every node starts again brings no Redis back, and closes every connection.
   *
   * @throws TypeError for a `maxLoopDelayMs` that is no whole number of at least 1
   */
  isLive<const Key extends string>(
    key: Key,
    { maxLoopDelayMs = DEFAULTS.maxLoopDelayMs }: LivenessOptions = {},
  ): HealthIndicatorResult<Key> {
    checkDelay(maxLoopDelayMs);
    const health = this.#health();
    const late = this.#loop.ms;
    if (late > maxLoopDelayMs) {
      return this.#result(key, health, `the event loop was ${late} ms late, more than ${maxLoopDelayMs}`);
    }
    return this.#result(key, health, health.state === 'stopped' ? UNFIT.stopped : undefined);
  }

  #health(): NodeHealth {
    const health = this.channels.health();
    return this.#isLeaving && health.state === 'up' ? { ...health, state: 'draining' } : health;
  }

  #result<const Key extends string>(
    key: Key,
    health: NodeHealth,
    message?: string,
  ): HealthIndicatorResult<Key> {
    const { state, broker, connections } = health;
    const figures = { state, broker, loopDelayMs: this.#loop.ms, connections };
    const check = this.indicators.check(key);
    return message === undefined ? check.up(figures) : check.down({ message, ...figures });
  }
}

function whyNotReady({ state, broker, brokerTrouble }: NodeHealth): string | undefined {
  if (state !== 'up') return UNFIT[state];
  return broker === 'ready' ? undefined : `the broker is ${broker}: ${brokerTrouble}`;
}

function checkDelay(ms: number): void {
  if (Number.isSafeInteger(ms) && ms >= 1) return;
  throw new TypeError(
    `maxLoopDelayMs (${String(ms)}) must be a whole number of at least 1, in milliseconds; leave it out for ${DEFAULTS.maxLoopDelayMs}.`,
  );
}

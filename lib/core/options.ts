import { ADMISSION_DEFAULTS, ADMISSION_MAY_BE_ZERO, type AdmissionOptions } from './admission-options.js';
import { DRAIN_DEFAULTS, DRAIN_MAY_BE_ZERO, type DrainOptions } from './drain-options.js';
import {
  checkRates,
  RATE_DEFAULTS,
  RATES_THAT_MAY_BE_ZERO,
  withBurst,
  type RateOptions,
} from './rate-options.js';

/** Limits and times of the engine. Every one has a default, and is checked at start. */
export interface EngineOptions extends AdmissionOptions, DrainOptions, RateOptions {
  /**
   * Ping a connection that the server has sent nothing to, or heard nothing from, for this long.
   * A ping goes out at a random 80-100 % of it, so that connections opened together spread out.
   * `0` sends no pings; then set `heartbeatTimeoutMs: 0` too, or silent but healthy peers are reaped.
   *
   * @default 25_000
   */
  heartbeatIntervalMs?: number;

  /**
   * Reap a connection that has been silent for this long. Any byte read counts as life. The peer
   * sees 1006 and reconnects; log and metrics say 4408. Behind a slow link the time grows with the
   * bytes on their way, see `drainTimeoutMs`. `0` turns reaping off.
   *
   * @default 30_000
   */
  heartbeatTimeoutMs?: number;

  /**
   * The most that `heartbeatTimeoutMs` grows to while a peer reads what was sent to it: by one
   * second for each 16 KiB written since it was last heard.
   *
   * @default 60_000
   */
  drainTimeoutMs?: number;

  /**
   * Told to clients in the `$hello` ack: reconnect after this long without a frame from the server.
   *
   * @default 40_000
   */
  clientTimeoutMs?: number;

  /**
   * Close with 4510 a connection that answers pings but has sent no message of its own for this
   * long. `0` turns it off.
   *
   * @default 0
   */
  idleTimeoutMs?: number;

  /**
   * How long the handshake guards may take together. Longer, and the peer gets HTTP 503, or, where it has brought a
   * new token by `$refresh`, `unavailable`.
   *
   * @default 5_000
   */
  handshakeTimeoutMs?: number;

  /**
   * How long a handler, a `@SubscribeChannel` method or `handleConnection` may take. Longer, and
   * the request is answered `timeout` (retryable) or, in `handleConnection`, the connection closed
   * with 1011. The handler is not stopped; its late result is dropped. Checked once a
   * second, and ten times in its length where that is shorter.
   *
   * @default 30_000
   */
  handlerTimeoutMs?: number;

  /**
   * How long a client may take to answer `ChannelSocket.request()`, where the call does not say it.
   *
   * @default 10_000
   */
  requestTimeoutMs?: number;

  /**
   * How long `connections()`, `subscribers()` and `disconnect()` of the `ChannelsService` wait for other nodes. Who
   * has not answered by then is told as missing.
   *
   * @default 1_000
   */
  controlTimeoutMs?: number;

  /**
   * How long running handlers may take when the application shuts down, `drainWindowMs` counted in. Then every
   * connection is closed; `handleDisconnect` and `@UnsubscribeChannel` have what is left of it, and 1.5 s more,
   * or 0.75 s behind the window where that is later.
   *
   * @default 3_000
   */
  shutdownTimeoutMs?: number;

  /**
   * The longest message, in bytes, in both directions. A longer one from a peer closes its
   * connection with 1009; publishing a longer one rejects with `payload_too_large`.
   *
   * @default 65_536
   */
  maxMessageBytes?: number;

  /**
   * How deep the JSON of a message may nest, in both directions, the frame being the first level. A deeper one from
   * a peer is a bad frame. Publishing a deeper one rejects with `bad_request`; a deeper answer of a handler is
   * reported, and the peer gets `internal`.
   *
   * @default 32
   */
  maxNesting?: number;

  /**
   * Channels that one connection may be in. One more is refused with `limit_exceeded`.
   *
   * @default 128
   */
  maxChannelsPerConnection?: number;

  /**
   * The longest event name, in characters. A longer one is a `bad_request`.
   *
   * @default 128
   */
  maxEventLength?: number;

  /**
   * Messages with an `id` that one connection may have unanswered. One more is answered
   * `rate_limited` (retryable).
   *
   * @default 64
   */
  maxInFlight?: number;

  /**
   * Requests of the server that one client may have unanswered. One more rejects with `limit_exceeded`.
   *
   * @default 64
   */
  maxRequestsPerConnection?: number;

  /**
   * Bytes that may wait for one connection to read them. What would go beyond it terminates the
   * connection: the peer sees 1006 and reconnects, log and metrics say 4413. A message of any size
   * passes while nothing waits. Publications of channels with another `overflow` make room instead.
   *
   * @default 1_048_576
   */
  maxOutboxBytes?: number;

  /**
   * How often the position of a channel with history is compared with the broker's, so that the loss of its last
   * publication is found, too. At most 120_000: a broker forgets a channel without publications that nobody looks
   * at.
   *
   * @default 10_000
   */
  positionCheckMs?: number;

  /**
   * Channels whose history is kept in memory while nobody is in them, also when their publications are older
   * than its `ttlMs`. One more, and one is forgotten: one that never had a publication, or else the one that
   * was used the longest time ago, and who comes back to it is told of a gap. Not for a `broker` of your own.
   *
   * @default 10_000
   */
  maxHistories?: number;

  /**
   * How long one whose last connection was lost stays in a channel with `presence`, to come back: shorter
   * absences, a deploy among them, are not told. `0` tells each loss at once.
   *
   * @default 10_000
   */
  presenceGraceMs?: number;

  /**
   * Entries in an answer to `$presence`. Where there are more, the answer says how many.
   *
   * @default 1_000
   */
  maxPresenceMembers?: number;

  /**
   * Fragments of one message. More close the connection with 1008.
   *
   * @default 256
   */
  maxFragments?: number;

  /**
   * How long `ChannelsService.revoke()` is remembered, unless the call names its end: the longest life of a token.
   * At most 2,147,483,647 (24.8 days); a call may name any end.
   *
   * @default 86_400_000
   */
  revocationTtlMs?: number;

  /**
   * Revocations that are remembered at a time, over all nodes that share a store. One more closes the connections
   * that it concerns, and then rejects with `limit_exceeded`: none is forgotten before its end.
   *
   * @default 10_000
   */
  maxRevocations?: number;

  /**
   * Upgrades that may wait for their guards at the same time, per HTTP server. One more is refused
   * with 503. As many `$refresh` may wait beside them; one more is answered `unavailable`.
   *
   * @default 1_024
   */
  maxPendingUpgrades?: number;

  /**
   * How long the answer to a message for an `@Acked` handler is kept, so that a copy of the message gets
   * it and does not run. Told to clients, which do not send again what is older than that, less 30 s.
   *
   * @default 300_000
   */
  dedupWindowMs?: number;

  /**
   * Room for the running and answered messages of `@Acked` handlers of one principal, or of one anonymous
   * client, in bytes: 512 for each and the JSON of its answer, and 384 for each client that has any. Past it the oldest answers go before their
   * time, which observers are told as `evicted`; where none is left to go, a message is answered
   * `rate_limited`. Bounds the store in memory; another `dedupStore` has bounds of its own.
   *
   * @default 4_194_304
   */
  maxDedupBytesPerPrincipal?: number;

  /**
   * The same for everybody together.
   *
   * @default 67_108_864
   */
  maxDedupBytes?: number;
}

export type ResolvedOptions = Readonly<Required<EngineOptions>>;

export const DEFAULTS: ResolvedOptions = {
  heartbeatIntervalMs: 25_000,
  heartbeatTimeoutMs: 30_000,
  drainTimeoutMs: 60_000,
  clientTimeoutMs: 40_000,
  idleTimeoutMs: 0,
  handshakeTimeoutMs: 5_000,
  handlerTimeoutMs: 30_000,
  requestTimeoutMs: 10_000,
  controlTimeoutMs: 1_000,
  shutdownTimeoutMs: 3_000,
  maxMessageBytes: 65_536,
  maxNesting: 32,
  maxChannelsPerConnection: 128,
  maxEventLength: 128,
  maxInFlight: 64,
  maxRequestsPerConnection: 64,
  ...RATE_DEFAULTS,
  maxOutboxBytes: 1_048_576,
  positionCheckMs: 10_000,
  maxHistories: 10_000,
  presenceGraceMs: 10_000,
  maxPresenceMembers: 1_000,
  maxFragments: 256,
  revocationTtlMs: 86_400_000,
  maxRevocations: 10_000,
  maxPendingUpgrades: 1_024,
  ...ADMISSION_DEFAULTS,
  ...DRAIN_DEFAULTS,
  dedupWindowMs: 300_000,
  maxDedupBytesPerPrincipal: 4_194_304,
  maxDedupBytes: 67_108_864,
};

/** Options for which zero means "off". */
const MAY_BE_ZERO: ReadonlySet<string> = new Set([
  'heartbeatIntervalMs',
  'heartbeatTimeoutMs',
  'idleTimeoutMs',
  'presenceGraceMs',
  ...ADMISSION_MAY_BE_ZERO,
  ...DRAIN_MAY_BE_ZERO,
  ...RATES_THAT_MAY_BE_ZERO,
]);

/** The longest `positionCheckMs`: a broker keeps a position for twice as long, so that one look may fail. */
const MAX_POSITION_CHECK_MS = 120_000;

/** Timers cannot wait longer: Node fires at once instead. */
export const MAX_TIMER_MS = 2_147_483_647;

/**
 * Fills in the defaults and checks each value once, at start.
 *
 * @throws TypeError that names the option, says what it got and what to do
 */
export function resolveOptions(options: EngineOptions): ResolvedOptions {
  const resolved: Record<string, number> = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    const value: unknown = options[name as keyof EngineOptions];
    if (value !== undefined) resolved[name] = checkNumber(name, value);
  }
  const complete = withBurst(resolved as unknown as ResolvedOptions, options);
  checkTimes(complete);
  checkRates(complete);
  return complete;
}

function checkNumber(name: string, value: unknown): number {
  const least = MAY_BE_ZERO.has(name) ? 0 : 1;
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new TypeError(`${name} (${String(value)}) must be a whole number of at least ${least}.`);
  }
  const mostMs = name === 'positionCheckMs' ? MAX_POSITION_CHECK_MS : MAX_TIMER_MS;
  if (name.endsWith('Ms') && (value as number) > mostMs) {
    throw new TypeError(`${name} (${String(value)}) must be at most ${mostMs} milliseconds.`);
  }
  return value as number;
}

function checkTimes(options: ResolvedOptions): void {
  const { heartbeatIntervalMs: interval, heartbeatTimeoutMs: timeout, drainTimeoutMs: drain } = options;
  if (interval > 0 && timeout > 0 && timeout <= interval) {
    throw new TypeError(
      `heartbeatTimeoutMs (${timeout}) must exceed heartbeatIntervalMs (${interval}); raise the timeout.`,
    );
  }
  if (timeout > 0 && drain < timeout) {
    throw new TypeError(
      `drainTimeoutMs (${drain}) must not be less than heartbeatTimeoutMs (${timeout}); raise it as well.`,
    );
  }
}

/** How much one connection may send, and what ends one that does not stop. */
export interface RateOptions {
  /**
   * Messages a second that one connection may send for any length of time, pings and whatever cannot be read
   * included. Over it, messages to `@Acked` handlers wait in their lane, and anything else is answered `rate_limited`
   * (retryable, with `retryAfterMs`); see `maxRefusals`. Holds on paths where a gateway uses a decorator of this
   * package, and on all paths where one of these rates is set. `0` turns it off.
   *
   * @default 500
   */
  messagesPerSecond?: number;

  /**
   * Messages that one connection may send at once after a while of silence. More than `maxChannelsPerConnection`, so
   * that a client which comes back joins all its channels without a wait.
   *
   * @default 1_000, and room for all channels and `maxInFlight` messages where these are more
   */
  messageBurst?: number;

  /**
   * Bytes a second that one connection may send for any length of time, as `messagesPerSecond`. `0` turns it off.
   *
   * @default 1_048_576
   */
  bytesPerSecond?: number;

  /**
   * Bytes that one connection may send at once after a while of silence. A longer message passes when all of them
   * are there.
   *
   * @default 4_194_304
   */
  byteBurst?: number;

  /**
   * `$subscribe` commands a second that one connection may send for any length of time, as `messagesPerSecond`; after
   * a while of silence `maxChannelsPerConnection` at once, so that a client which comes back never waits. Two
   * `$refresh`, which ask all channels again, are as far apart as so many joins. `0` turns it off.
   *
   * @default 20
   */
  subscriptionsPerSecond?: number;

  /**
   * Refusals by these rates within `refusalWindowMs` that close a connection with 4429. Who was told to wait may have
   * had `maxInFlight` messages and `maxChannelsPerConnection` commands on their way: so many refusals do not count
   * until the wait is over. Who waits as it is told is never closed.
   *
   * @default 10
   */
  maxRefusals?: number;

  /**
   * The time of `maxRefusals`.
   *
   * @default 10_000
   */
  refusalWindowMs?: number;

  /**
   * Principals whose points for a `@RateLimit({ per: 'principal' })` are kept in memory, for each such limit one
   * more. Beyond it the one that was used the longest time ago begins anew with all points.
   *
   * @default 100_000
   */
  maxRateBuckets?: number;
}

export const RATE_DEFAULTS: Readonly<Required<RateOptions>> = {
  messagesPerSecond: 500,
  messageBurst: 1_000,
  bytesPerSecond: 1_048_576,
  byteBurst: 4_194_304,
  subscriptionsPerSecond: 20,
  maxRefusals: 10,
  refusalWindowMs: 10_000,
  maxRateBuckets: 100_000,
};

/** Rates for which zero means "off". */
export const RATES_THAT_MAY_BE_ZERO = ['messagesPerSecond', 'bytesPerSecond', 'subscriptionsPerSecond'];

/** Buckets count thousandths, in whole numbers. */
const MOST = Math.floor(Number.MAX_SAFE_INTEGER / 1_000);

/** The burst that holds where it is not given: with more channels than usual a client has more to say when it is back. */
export function withBurst<
  Options extends RateOptions & { readonly maxChannelsPerConnection: number; readonly maxInFlight: number },
>(resolved: Options, { messageBurst }: RateOptions): Options {
  const { maxChannelsPerConnection, maxInFlight } = resolved;
  const least = maxChannelsPerConnection + maxInFlight + 1;
  return { ...resolved, messageBurst: messageBurst ?? Math.max(RATE_DEFAULTS.messageBurst, least) };
}

/** @throws TypeError that names the option, says what it got and what to do */
export function checkRates(
  options: Readonly<Required<RateOptions>> & { readonly maxChannelsPerConnection: number },
): void {
  for (const name of ['messagesPerSecond', 'messageBurst', 'bytesPerSecond', 'byteBurst'] as const) {
    if (options[name] > MOST) throw new TypeError(`${name} (${options[name]}) must be at most ${MOST}.`);
  }
  const { messagesPerSecond, messageBurst, maxChannelsPerConnection } = options;
  if (messagesPerSecond > 0 && messageBurst <= maxChannelsPerConnection) {
    throw new TypeError(
      `messageBurst (${messageBurst}) must exceed maxChannelsPerConnection (${maxChannelsPerConnection}), ` +
        'or a client that comes back has to wait; raise it, or lower the channels.',
    );
  }
}

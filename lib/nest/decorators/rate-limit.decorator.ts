import { SetMetadata } from '@nestjs/common';
import type { HandlerRate } from '../../core/limited-handler.js';
import { RATE_LIMIT_METADATA } from '../metadata.js';

/** Options of {@link RateLimit}. */
export interface RateLimitOptions {
  /** How many messages, or joins, may come at once. As many come again in `perMs`, one after the other. */
  readonly points: number;
  /** In milliseconds. */
  readonly perMs: number;
  /**
   * Whose points these are. `principal` counts all connections of a user together, on all nodes where the broker is a
   * `RedisBroker` and in this process otherwise; while Redis is away each node counts by itself. Somebody anonymous
   * is counted by connection.
   *
   * @default 'connection'
   */
  readonly per?: 'connection' | 'principal';
}

/** What can be counted in whole numbers. */
const MOST = Number.MAX_SAFE_INTEGER;

/**
 * Limits how often a `@SubscribeMessage` handler or a `@SubscribeChannel` method runs. One message more is answered
 * `rate_limited` with `retryAfterMs`, before its guards run; without an `id` by an `exception`. Our client tries it
 * again by then. So is a message to an `@Acked()` handler: the wait may be long, and those behind it in the lane have
 * nothing to do with it. No number of these refusals closes a connection; the rates of the connection
 * (`messagesPerSecond`) bound what somebody can send who does not wait.
 *
 * A `$subscribe` that is refused ends the subscription that there was, as any refusal does. A channel that `$refresh`
 * asks again is not counted.
 *
 * @example
 * ```ts
 * @SubscribeMessage('chat.send')
 * @RateLimit({ points: 5, perMs: 10_000 })
 * send(@MessageBody() text: string) {
 *   return this.rooms.say(text);
 * }
 * ```
 * @throws TypeError where a number is not whole or below 1
 * @publicApi
 */
export function RateLimit({ points, perMs, per = 'connection' }: RateLimitOptions): MethodDecorator {
  for (const [name, value] of Object.entries({ points, perMs })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new TypeError(`@RateLimit(): ${name} (${String(value)}) must be a whole number of at least 1.`);
  }
  if (points * perMs > MOST)
    throw new TypeError(`@RateLimit(): points (${points}) times perMs (${perMs}) is too much.`);
  const rate: HandlerRate = { points, perMs, per };
  return SetMetadata(RATE_LIMIT_METADATA, rate);
}

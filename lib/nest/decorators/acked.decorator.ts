import { SetMetadata } from '@nestjs/common';
import { ACKED_METADATA } from '../metadata.js';

/** Options of {@link Acked}. */
export interface AckedOptions {
  /**
   * Whether messages to this handler run beside the others of their connection, instead of one after the
   * other in the order of arrival. For handlers whose messages have nothing to do with each other.
   *
   * @default false
   */
  readonly concurrent?: boolean;
}

/**
 * Marks a `@SubscribeMessage` handler whose effect must not happen twice. Not to be confused with Nest's
 * `@Ack()`, a parameter decorator that hands a callback to the method.
 *
 * - A message with an `id` runs at most once within `dedupWindowMs`, per user and client. A copy, as a
 *   client sends it after a reconnect, gets the stored answer, or waits for it. Guards run for every copy;
 *   interceptors, pipes and the method once. An error that is `retryable` is not stored: the next copy runs.
 * - Messages of one connection run one after the other, in the order of arrival, together with those to its
 *   other acked handlers; see {@link AckedOptions.concurrent}.
 * - The ack is sent when the promise of the handler has resolved, and of an Observable it carries the last
 *   value. What is longer than `maxMessageBytes` is answered `payload_too_large`, since it cannot be kept.
 * - After `timeout`, and after the connection has ended, the handler goes on and its answer is stored.
 *
 * A process that dies between the effect and its record may run the effect twice: `@MessageId()` gives the
 * id to put into the same transaction. Only one gateway of a path may handle such an event.
 *
 * @example
 * ```ts
 * @SubscribeMessage('order.place')
 * @Acked()
 * place(@MessageBody() order: Order) {
 *   return this.orders.insert(order);
 * }
 * ```
 * @publicApi
 */
export function Acked(options: AckedOptions = {}): MethodDecorator {
  return SetMetadata(ACKED_METADATA, options);
}

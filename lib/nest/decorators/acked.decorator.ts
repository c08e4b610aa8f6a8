import { SetMetadata } from '@nestjs/common';
import { ACKED_METADATA } from '../metadata.js';

/**
 * Marks a `@SubscribeMessage` handler whose messages each have exactly one answer: the ack is sent
 * when the handler's promise has resolved, and of an Observable it carries the last value. Only one
 * gateway of a path may handle such an event.
 *
 * Not to be confused with Nest's `@Ack()`, a parameter decorator that hands a callback to the method.
 *
 * @publicApi
 */
export function Acked(): MethodDecorator {
  return SetMetadata(ACKED_METADATA, true);
}

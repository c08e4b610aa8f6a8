/**
 * Keys of what our decorators store. Plain strings, so that two copies of this package, as a mix of
 * module systems brings about, agree.
 */
export const SUBSCRIBE_CHANNEL_METADATA = 'nestjs-channels:subscribe';
export const UNSUBSCRIBE_CHANNEL_METADATA = 'nestjs-channels:unsubscribe';
export const ACKED_METADATA = 'nestjs-channels:acked';
export const RATE_LIMIT_METADATA = 'nestjs-channels:rate-limit';
export const ON_HANDSHAKE_METADATA = 'nestjs-channels:on-handshake';

/** The method that carries the guards of `@UseHandshakeGuards`; Nest injects guards of methods only. */
export const HANDSHAKE_GUARDS_METHOD = 'nestjs-channels:handshake-guards';

/** Reads what a decorator of ours has put on a method. */
export function readMetadata<T>(key: string, method: unknown): T | undefined {
  return Reflect.getMetadata(key, method as object) as T | undefined;
}

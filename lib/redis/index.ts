export { RedisBroker } from './redis-broker.js';
export type { RedisConnection, RedisLinkOptions } from './redis-options.interface.js';

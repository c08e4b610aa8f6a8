export { RedisBroker } from './redis-broker.js';
export type { RedisBrokerOptions, RedisConnection, RedisLinkOptions } from './redis-options.interface.js';

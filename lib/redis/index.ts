export { RedisBroker } from './redis-broker.js';
export type { RedisDedupOptions } from './redis-dedup-options.interface.js';
export type { RedisBrokerOptions, RedisConnection, RedisLinkOptions } from './redis-options.interface.js';

export { RedisBroker, type RedisBrokerOptions } from './redis-broker.js';
export type { RedisDedupOptions } from './redis-dedup-options.interface.js';
export type { RedisConnection, RedisLinkOptions } from './redis-options.interface.js';

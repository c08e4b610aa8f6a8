import { dedupStoreContract } from '../contract/dedup-store.contract.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { LEASE_MS, startBench, WINDOW_MS } from './dedup-bench.js';

dedupStoreContract('RedisDedupStore', {
  windowMs: WINDOW_MS,
  leaseMs: LEASE_MS,
  create: async () => {
    const clock = new SteppedClock();
    const { url } = await RedisServer.start({ env: clock.env });
    return startBench(url, clock);
  },
});

import { TestClock } from 'nestjs-channels/testing';
import { dedupStoreContract } from '../contract/dedup-store.contract.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { startDedupNode } from './dedup-node.js';

// Clocks that stand still: what is due now is, and what is due in a millisecond is not.
dedupStoreContract('RedisDedupStore', {
  windowMs: 300_500,
  leaseMs: 30_500,
  create: async () => {
    const serverClock = new SteppedClock();
    let now = Date.now();
    serverClock.stop(now);
    const { url } = await RedisServer.start({ env: serverClock.env });
    const clock = new TestClock();
    const one = await startDedupNode(url, { clock });
    const two = await startDedupNode(url, { clock });
    return {
      nodes: [one.store, two.store],
      pass: (ms) => {
        serverClock.stop((now += ms));
        return clock.advance(ms);
      },
    };
  },
});

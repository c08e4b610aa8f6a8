import { RedisBroker } from '../../lib/redis/index.js';
import { brokerContract } from '../contract/broker.contract.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { SteppedClock } from '../support/stepped-clock.js';

brokerContract('RedisBroker', {
  nodes: 2,
  create: async () => {
    const clock = new SteppedClock();
    const { url } = await RedisServer.start({ env: clock.env });
    let passed = 0;
    return {
      nodes: [new RedisBroker(url), new RedisBroker(url)],
      pass: (ms) => clock.step((passed += ms / 1_000)),
    };
  },
});

import { describe, expect, it, onTestFinished } from 'vitest';
import { SystemClock, SystemRandom } from '../../lib/nest/system-clock.js';
import { RedisBroker } from '../../lib/redis/index.js';
import { brokerContract } from '../contract/broker.contract.js';
import { eventually } from '../support/redis/eventually.js';
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

describe('a RedisBroker that two modules were given', () => {
  it('does not start twice, and stays with the first', async () => {
    const { url } = await RedisServer.start();
    const broker = new RedisBroker(url);
    onTestFinished(() => broker.close());
    const node = {
      clock: new SystemClock(),
      random: new SystemRandom(),
      unsure: () => undefined,
      stateChanged: () => undefined,
      probed: () => undefined,
      warn: () => undefined,
      failed: () => undefined,
    };
    const heard: unknown[] = [];
    await broker.start((publication) => void heard.push(publication), node);
    await broker.subscribe('news');

    await expect(broker.start(() => undefined, node)).rejects.toThrow('was started before');
    await broker.publish({ channel: 'news', event: 'one' });

    await eventually('it is heard', async () => heard.length === 1);
  });
});

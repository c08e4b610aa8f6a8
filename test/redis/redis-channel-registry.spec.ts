import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SystemClock } from '../../lib/nest/system-clock.js';
import { Keys } from '../../lib/redis/keys.js';
import { RedisChannelRegistry } from '../../lib/redis/redis-channel-registry.js';
import { channelRegistryContract } from '../contract/channel-registry.contract.js';
import { eventually } from '../support/redis/eventually.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { ENTRY_MS, redisRegistryKind, startLink } from './nodes-bench.js';

const CHAT = { pattern: 'chat:{room}', history: { size: 100, ttlMs: 300_000 } };

const lifetime = untilAfterAll();
let server: RedisServer;
let prefixes = 0;

beforeAll(async () => {
  server = await RedisServer.start({ lifetime });
});

channelRegistryContract(
  'RedisChannelRegistry',
  redisRegistryKind(() => server.url),
);

describe('a registry in Redis', () => {
  async function start(redis: RedisServer, prefix: string): Promise<[RedisChannelRegistry, string[]]> {
    const link = await startLink({ connection: redis.url, prefix });
    const registry = new RedisChannelRegistry(link, new Keys(prefix), ENTRY_MS);
    const failures: string[] = [];
    registry.start({ clock: new SystemClock(), failed: (where) => void failures.push(where) });
    onTestFinished(() => registry.close());
    return [registry, failures];
  }

  it.each([
    ['no JSON', 'chat'],
    ['of another version', '{"v":2,"channels":[{"shape":"chat:{}"}]}'],
    ['without channels', '{"v":1}'],
    ['of a channel that is none', '{"v":1,"channels":[null]}'],
    ['without a pattern', '{"v":1,"channels":[{}]}'],
    ['of a pattern that is none', '{"v":1,"channels":[{"shape":"a b"}]}'],
    ['of another kind of history', '{"v":1,"channels":[{"shape":"chat:{}","history":5}]}'],
    ['null', 'null'],
  ])('passes over an entry that is %s, and reports it once', async (_what, entry) => {
    const prefix = `entry-${(prefixes += 1)}`;
    const [registry, failures] = await start(server, prefix);
    await server.run('zadd', `${prefix}:{nodes}:registry`, Date.now() + 60_000, entry);

    await registry.register([CHAT]);
    const read = [await registry.read(), await registry.read()];

    expect(read.map(([channels, ...others]) => [channels?.map(({ history }) => history), others])).toEqual([
      [[CHAT.history], []],
      [[CHAT.history], []],
    ]);
    expect(failures).toEqual(['a registered channel']);
  });

  it('registers what Redis has forgotten in a restart', async () => {
    const redis = await RedisServer.start();
    const [registry, failures] = await start(redis, 'restart');
    await registry.register([CHAT]);

    await redis.restart();
    const channels = await eventually('the channels are registered again', async () => {
      const read = await registry.read();
      return read.length > 0 && read;
    });

    expect(channels).toMatchObject([[{ history: CHAT.history }]]);
    expect(failures).toEqual([]);
  });

  it('starts and registers later where Redis is away, and says so when it is read', async () => {
    const redis = await RedisServer.start();
    const [registry, failures] = await start(redis, 'away');
    await redis.kill();

    await registry.register([CHAT]);
    await expect(registry.read()).rejects.toMatchObject({ code: 'unavailable' });
    await redis.restart();

    await eventually('the channels are registered', async () => (await registry.read()).length > 0);
    expect(failures).toEqual([]);
  });

  it.each([0, -3_600])(
    'ends an entry that nobody renews, where the clock is set back: by %i s',
    async (offsetS) => {
      const clock = new SteppedClock();
      const redis = await RedisServer.start({ env: clock.env });
      const [[stays], [goes]] = [await start(redis, 'clock'), await start(redis, 'clock')];
      await stays.register([CHAT]);
      await goes.register([{ pattern: CHAT.pattern }]);

      goes.close();
      const before = await stays.read();
      clock.step(offsetS);

      await eventually('its entry has ended', async () => (await stays.read()).length === 1);
      expect(before).toHaveLength(2);
      expect(await stays.read()).toMatchObject([[{ history: CHAT.history }]]);
    },
  );

  it('leaves no key behind that stays', async () => {
    const redis = await RedisServer.start();
    const [registry] = await start(redis, 'keys');

    await registry.register([CHAT]);

    expect(await redis.run('keys', '*')).toEqual(['keys:{nodes}:registry']);
    expect(await redis.run('pttl', 'keys:{nodes}:registry')).toBeGreaterThan(0);
  });
});

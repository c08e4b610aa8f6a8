import type { Revocation, RevocationHost } from 'nestjs-channels';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SystemClock, SystemRandom } from '../../lib/nest/system-clock.js';
import { Keys } from '../../lib/redis/keys.js';
import { RedisRevocationStore, type RevocationsLink } from '../../lib/redis/redis-revocation-store.js';
import { revocationStoreContract } from '../contract/revocation-store.contract.js';
import { eventually } from '../support/redis/eventually.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { startLink } from './nodes-bench.js';

const ADA = { principal: 'ada', user: undefined };
const BOB = { principal: 'bob', user: undefined };

const lifetime = untilAfterAll();
let server: RedisServer;
let prefixes = 0;

beforeAll(async () => {
  server = await RedisServer.start({ lifetime });
});

async function storeAt(redis: RedisServer, prefix: string): Promise<RedisRevocationStore> {
  return new RedisRevocationStore(await startLink({ connection: redis.url, prefix }), new Keys(prefix));
}

function hostOf(): RevocationHost {
  return {
    clock: new SystemClock(),
    random: new SystemRandom(),
    maxRevocations: 100,
    found: () => undefined,
    failed: (where, error) => expect.fail(`${where}: ${String(error)}`),
  };
}

/** The keys of a master as its replica has them, or the other way round. */
async function copy(redis: RedisServer, from: readonly string[], to: readonly string[]): Promise<void> {
  for (const [at, key] of from.entries()) await redis.run('copy', key, to[at] as string, 'replace');
}

revocationStoreContract('RedisRevocationStore', {
  create: async () => {
    const prefix = `contract-${(prefixes += 1)}`;
    return {
      stores: [await storeAt(server, prefix), await storeAt(server, prefix)],
      later: () => storeAt(server, prefix),
      found: async (fits) => {
        await eventually('the other node has found it', async () => fits());
      },
    };
  },
});

describe('revocations in Redis', () => {
  async function start(
    redis: RedisServer,
    prefix: string,
  ): Promise<{ store: RedisRevocationStore; failures: string[]; founds: string[] }> {
    const store = await storeAt(redis, prefix);
    const failures: string[] = [];
    const founds: string[] = [];
    const found = (): void => void founds.push('found');
    await store.start({ ...hostOf(), found, failed: (where) => void failures.push(where) });
    onTestFinished(() => store.close());
    return { store, failures, founds };
  }

  function of(principal: string, ms = 3_600_000): Revocation {
    const revokedAt = Date.now();
    return { target: { principal }, revokedAt, until: revokedAt + ms };
  }

  it('tells the node of what it has found, once', async () => {
    const one = await start(server, 'found');
    const two = await start(server, 'found');

    await one.store.add(of('ada'));
    await eventually('it was found', async () => two.store.covers(ADA));
    await two.store.add(of('bob'));
    await eventually('it was found', async () => one.store.covers(BOB));

    expect([one.founds, two.founds]).toEqual([['found'], ['found']]);
    expect([...one.failures, ...two.failures]).toEqual([]);
  });

  it('knows what it knew while Redis is away, refuses more as unavailable, and tells it afterwards', async () => {
    const redis = await RedisServer.start();
    const one = await start(redis, 'away');
    const two = await start(redis, 'away');
    await one.store.add(of('ada'));
    await eventually('it was found', async () => two.store.covers(ADA));
    await redis.kill();

    await expect(one.store.add(of('bob'))).rejects.toMatchObject({ code: 'unavailable' });
    const meanwhile = [one.store, two.store].map((store) => [store.covers(ADA), store.covers(BOB)]);
    await redis.restart();
    await eventually('the others were told', async () => two.store.covers(BOB));
    const late = await start(redis, 'away');
    await eventually('what Redis had lost is there again', async () => {
      const later = await start(redis, 'away');
      return later.store.covers(ADA) && later.store.covers(BOB);
    });

    expect(meanwhile).toEqual([
      [true, true],
      [true, false],
    ]);
    expect([one, two, late].flatMap(({ failures }) => failures)).toEqual([]);
  });

  it('is told again by the nodes what a FLUSHALL has forgotten', async () => {
    const redis = await RedisServer.start();
    const one = await start(redis, 'flush');
    await one.store.add(of('ada'));

    await redis.run('flushall');
    await eventually('it is there again', async () => (await start(redis, 'flush')).store.covers(ADA));

    expect(one.failures).toEqual([]);
  });

  it('finds and tells again what a failover has lost, where its number is taken by another one', async () => {
    const redis = await RedisServer.start();
    const keys = new Keys('number').revocations;
    const copies = keys.map((key) => `${key}:replica`);
    const link = await startLink({ connection: redis.url, prefix: 'number' });
    let back = (): void => undefined;
    // It looks when the test says that Redis is back, and at no other time.
    const silent: RevocationsLink = {
      run: link.run.bind(link),
      onBack: (listener) => void (back = listener),
      onTick: () => undefined,
    };
    const one = new RedisRevocationStore(silent, new Keys('number'));
    await one.start(hostOf());
    await one.add(of('ada'));
    await copy(redis, keys, copies);
    await one.add(of('bob'));

    await copy(redis, copies, keys);
    await (await start(redis, 'number')).store.add(of('cleo'));
    back();

    await eventually('it has found the other one', async () => one.covers({ ...ADA, principal: 'cleo' }));
    const knows = (store: RedisRevocationStore): boolean[] =>
      ['ada', 'bob', 'cleo'].map((principal) => store.covers({ ...ADA, principal }));
    await eventually('Redis has all', async () => knows((await start(redis, 'number')).store).every(Boolean));

    expect(knows(one)).toEqual([true, true, true]);
  });

  it('keeps nothing in Redis for longer than its end and a minute', async () => {
    const { store } = await start(server, 'ends');
    await store.add(of('ada', 10_000));
    await store.add(of('bob', 20_000));

    const times = await Promise.all(new Keys('ends').revocations.map((key) => server.run('pttl', key)));

    for (const ms of times) {
      expect(Number(ms)).toBeGreaterThan(60_000);
      expect(Number(ms)).toBeLessThanOrEqual(80_000);
    }
  });

  it.each(['no JSON', '[]', '[""]', '{"principal":"ada"}', '["sid",5]'])(
    'passes over the target %j, and reports it',
    async (target) => {
      const prefix = `entry-${(prefixes += 1)}`;
      const one = await start(server, prefix);
      await one.store.add(of('ada'));
      const [, changes = '', times = ''] = new Keys(prefix).revocations;
      await server.run('hset', times, target, `${Date.now()} ${Date.now() + 60_000}`);
      await server.run('zadd', changes, 1, target);

      const two = await start(server, prefix);

      expect(two.store.covers(ADA)).toBe(true);
      expect(two.failures).toEqual(['a revocation in Redis']);
    },
  );
});

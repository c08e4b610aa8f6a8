import { FaultProxy } from 'nestjs-channels/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Keys } from '../../lib/redis/keys.js';
import type { RedisLink } from '../../lib/redis/redis-link.js';
import { RedisNodes } from '../../lib/redis/redis-nodes.js';
import { SystemClock, SystemRandom } from '../../lib/nest/system-clock.js';
import { nodesContract } from '../contract/nodes.contract.js';
import { eventually } from '../support/redis/eventually.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { LEASE_MS, redisNodesKind, startLink } from './nodes-bench.js';

const SILENCE_MS = 200;
/** Longer than any test: what resolves has not waited for it. */
const NEVER_MS = 3_600_000;

const lifetime = untilAfterAll();
let server: RedisServer;
let prefixes = 0;

beforeAll(async () => {
  server = await RedisServer.start({ lifetime });
});

nodesContract(
  'RedisNodes',
  redisNodesKind(() => server.url),
);

interface Started {
  readonly nodes: RedisNodes;
  readonly failures: unknown[];
  readonly link: RedisLink;
}

async function start(redis: { readonly url: string }, prefix: string, leaseMs = LEASE_MS): Promise<Started> {
  const link = await startLink({ connection: redis.url, prefix });
  const nodes = new RedisNodes(link, new Keys(prefix), leaseMs);
  const failures: unknown[] = [];
  await nodes.start({
    clock: new SystemClock(),
    random: new SystemRandom(),
    answer: (question) => question,
    failed: (where, error) => void failures.push([where, error]),
  });
  onTestFinished(() => nodes.close());
  return { nodes, failures, link };
}

describe('nodes in Redis', () => {
  it('are named for the place where they run', async () => {
    const { nodes } = await start(server, 'named');

    expect(nodes.id).toContain(`:${process.pid}:`);
  });

  it.each([
    ['no JSON', 'who?'],
    ['another version', '{"v":2,"id":"1","from":"x","text":""}'],
    ['null', 'null'],
    ['an empty text', ''],
    ['no sender', '{"v":1,"id":"1","text":""}'],
    ['a sender that is no name', '{"v":1,"id":"1","from":"a b\\n","text":""}'],
    ['an id that is too long', JSON.stringify({ v: 1, id: 'x'.repeat(65), from: 'x', text: '' })],
  ])('ignore a question that is %s, and report it once', async (_what, message) => {
    const prefix = `question-${(prefixes += 1)}`;
    const [one, other] = [await start(server, prefix), await start(server, prefix)];

    await one.link.publish(`${prefix}:nodes:questions`, message);
    await one.link.publish(`${prefix}:nodes:questions`, message);
    const { nodes } = await one.nodes.ask('who?', NEVER_MS);

    expect(nodes.answered).toBe(2);
    expect(other.failures).toEqual([['the question of another node', expect.any(TypeError)]]);
  });

  it.each([
    ['no JSON', 'me!'],
    ['another version', '{"v":2,"id":"1","from":"x","part":0,"parts":1,"text":""}'],
    ['a part behind the last', '{"v":1,"id":"1","from":"x","part":1,"parts":1,"text":""}'],
    ['too many parts', '{"v":1,"id":"1","from":"x","part":0,"parts":257,"text":""}'],
    ['a negative part', '{"v":1,"id":"1","from":"x","part":-1,"parts":1,"text":""}'],
    ['half a part', '{"v":1,"id":"1","from":"x","part":0.5,"parts":1,"text":""}'],
  ])('ignore an answer that is %s, and report it', async (_what, message) => {
    const prefix = `answer-${(prefixes += 1)}`;
    const [one, other] = [await start(server, prefix), await start(server, prefix)];

    await other.link.publish(`${prefix}:nodes:answers:${one.nodes.id}`, message);
    const { nodes } = await one.nodes.ask('who?', NEVER_MS);

    expect(nodes.answered).toBe(2);
    expect(one.failures).toEqual([['the answer of another node', expect.any(TypeError)]]);
  });

  it('give what they have while Redis is away, and name those that were there last', async () => {
    const redis = await RedisServer.start();
    const [one, other] = [await start(redis, 'away'), await start(redis, 'away')];
    await one.nodes.ask('who?', NEVER_MS);

    await redis.kill();
    const { answers, nodes } = await one.nodes.ask('who?', NEVER_MS);

    expect(answers).toEqual([]);
    expect(nodes).toEqual({ expected: 2, answered: 1, missing: [other.nodes.id] });
    expect(one.failures).toEqual([]);
  });

  it('wait no longer than they may for a Redis that stands still', async () => {
    const redis = await RedisServer.start();
    const [one, other] = [await start(redis, 'frozen'), await start(redis, 'frozen')];
    await one.nodes.ask('who?', NEVER_MS);

    redis.freeze();
    const { nodes } = await one.nodes.ask('who?', SILENCE_MS);
    redis.thaw();

    expect(nodes.missing).toEqual([other.nodes.id]);
  });

  it('find each other again behind a restart of Redis that has forgotten them', async () => {
    const redis = await RedisServer.start();
    const [one, other] = [await start(redis, 'restart'), await start(redis, 'restart')];

    await redis.restart();
    const nodes = await eventually('the nodes ask each other again', async () => {
      const reply = await one.nodes.ask('who?', SILENCE_MS);
      return reply.nodes.answered === 2 && reply.nodes;
    });

    expect(nodes).toEqual({ expected: 2, answered: 2, missing: [] });
    expect(one.nodes.alive()).toEqual([one.nodes.id, other.nodes.id]);
  });

  it('leave no key behind that stays', async () => {
    const redis = await RedisServer.start();
    const { nodes } = await start(redis, 'keys');
    await nodes.ask('who?', NEVER_MS);

    const keys = (await redis.run('keys', '*')) as string[];
    const leaseTtl = await redis.run('pttl', 'keys:{nodes}:leases');
    await nodes.close();

    expect(keys).toEqual(['keys:{nodes}:leases']);
    expect(leaseTtl).toBeGreaterThan(0);
    expect(await redis.run('keys', '*')).toEqual(['keys:{nodes}:left']);
    expect(await redis.run('pttl', 'keys:{nodes}:left')).toBeGreaterThan(0);
  });

  it('keep their leases in a Redis that is out of memory', async () => {
    const redis = await RedisServer.start();
    const [one, other] = [await start(redis, 'full'), await start(redis, 'full')];
    await redis.run('config', 'set', 'maxmemory', '1');
    const end = (): Promise<unknown> => redis.run('zscore', 'full:{nodes}:leases', other.nodes.id);
    const first = Number(await end());

    await eventually(
      'a lease is renewed behind its first end',
      async () => Number(await end()) > first + LEASE_MS,
    );

    await expect(redis.run('set', 'x', '1')).rejects.toThrow('OOM');
    expect((await one.nodes.ask('who?', NEVER_MS)).nodes).toEqual({ expected: 2, answered: 2, missing: [] });
  });

  it('wait also for those they knew where Redis has forgotten all', async () => {
    const redis = await RedisServer.start();
    // So long that none is renewed meanwhile.
    const [one, other] = [await start(redis, 'flush', 60_000), await start(redis, 'flush', 60_000)];
    await one.nodes.ask('who?', NEVER_MS);

    await redis.run('flushall');
    const { answers, nodes } = await one.nodes.ask('who?', NEVER_MS);

    expect(answers).toEqual([{ node: other.nodes.id, text: 'who?' }]);
    expect(nodes).toEqual({ expected: 2, answered: 2, missing: [] });
  });

  it('keep a lease for as long as they live', async () => {
    const [one, other] = [await start(server, 'lives'), await start(server, 'lives')];
    const first = Number(await server.run('zscore', 'lives:{nodes}:leases', other.nodes.id));

    await eventually('a lease is renewed behind its first end', async () => {
      return Number(await server.run('zscore', 'lives:{nodes}:leases', other.nodes.id)) > first + LEASE_MS;
    });

    expect((await one.nodes.ask('who?', NEVER_MS)).nodes.expected).toBe(2);
  });

  it.each([0, -3_600])('give up one that has died where the clock is set back: by %i s', async (offsetS) => {
    const clock = new SteppedClock();
    const redis = await RedisServer.start({ env: clock.env });
    const [one, other] = [await start(redis, 'clock'), await start(redis, 'clock')];
    await one.nodes.ask('who?', NEVER_MS);
    const before = one.nodes.alive();

    other.link.close();
    clock.step(offsetS);

    await eventually('its lease has ended', async () => one.nodes.alive().length === 1);
    expect(before).toHaveLength(2);
    expect((await one.nodes.ask('who?', NEVER_MS)).nodes.missing).toEqual([other.nodes.id]);
  });

  it('name one that is cut off for longer than its lease, and do not wait for it', async () => {
    const redis = server;
    const proxy = await FaultProxy.start({ target: { port: redis.port } });
    onTestFinished(() => proxy.close());
    const one = await start(redis, 'cut');
    const cutOff = await start({ url: `redis://127.0.0.1:${proxy.port}` }, 'cut');
    await one.nodes.ask('who?', NEVER_MS);

    proxy.blackHole();
    await eventually('its lease has ended', async () => one.nodes.alive().length === 1);
    const { nodes } = await one.nodes.ask('who?', NEVER_MS);
    // Who has just come knows it from Redis.
    const young = await start(redis, 'cut');
    const reply = await young.nodes.ask('who?', NEVER_MS);

    expect(nodes).toEqual({ expected: 2, answered: 1, missing: [cutOff.nodes.id] });
    expect(reply.nodes).toEqual({ expected: 3, answered: 2, missing: [cutOff.nodes.id] });
    proxy.heal();
    proxy.reset();
    await eventually('it answers again', async () => {
      return (await one.nodes.ask('who?', SILENCE_MS)).nodes.answered === 3;
    });
  });

  it('name one that a Redis without memory has never heard of again', async () => {
    const redis = await RedisServer.start();
    const proxy = await FaultProxy.start({ target: { port: redis.port } });
    onTestFinished(() => proxy.close());
    const one = await start(redis, 'lost');
    const cutOff = await start({ url: `redis://127.0.0.1:${proxy.port}` }, 'lost');
    await one.nodes.ask('who?', NEVER_MS);

    proxy.blackHole();
    await redis.run('flushall');
    const lease = (): Promise<unknown> => redis.run('zscore', 'lost:{nodes}:leases', one.nodes.id);
    await eventually('its own lease is there again', async () => (await lease()) !== null);
    const { nodes } = await one.nodes.ask('who?', SILENCE_MS);

    expect(nodes).toEqual({ expected: 2, answered: 1, missing: [cutOff.nodes.id] });
  });

  it('name nobody who has left, also where Redis had no memory for it', async () => {
    const redis = await RedisServer.start();
    const [one, other] = [await start(redis, 'leaves'), await start(redis, 'leaves')];
    await one.nodes.ask('who?', NEVER_MS);
    await redis.run('config', 'set', 'maxmemory', '1');

    await other.nodes.close();
    const { nodes } = await one.nodes.ask('who?', NEVER_MS);

    expect(nodes).toEqual({ expected: 1, answered: 1, missing: [] });
    expect(other.failures).toEqual([]);
  });

  it('never say that a question has reached all behind a restart of Redis', async () => {
    const redis = await RedisServer.start();
    const [one, other] = [await start(redis, 'early'), await start(redis, 'early')];
    await one.nodes.ask('who?', NEVER_MS);

    await redis.restart();
    const missing: (readonly string[])[] = [];
    await eventually('the other answers', async () => {
      const { nodes } = await one.nodes.ask('who?', SILENCE_MS);
      if (nodes.answered === 1) missing.push(nodes.missing);
      return nodes.answered === 2;
    });

    for (const named of missing) expect(named).toEqual([other.nodes.id]);
  });
});

import fc from 'fast-check';
import { Redis } from 'ioredis';
import type { ChannelsError } from 'nestjs-channels';
import { FaultProxy } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { converged, Reader, startNode, tailOf, type NewsNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 60_000 });

/** `npm run test:failovers` asks for more. */
const RUNS = Array.from({ length: Number(process.env['FAILOVERS'] ?? 2) }, (_, at) => at + 1);

const CHANNEL = 'news:a';
const META = `channels:{${CHANNEL}}:meta`;
const STREAM = `channels:{${CHANNEL}}:stream`;

async function publish({ app }: NewsNode, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await app.channels.publish(CHANNEL, 'said', at);
}

describe('a master that is restored from an older snapshot', () => {
  /**
   * Publishes 95, saves, publishes 5 more, which a reader gets, kills the server, and starts it again; then a process
   * that has no subscribers publishes 10. The nodes come back to it afterwards.
   *
   * @param spoil - what is done to Redis before anybody of ours speaks to it
   */
  async function restored(
    spoil: (server: RedisServer) => Promise<unknown>,
  ): Promise<{ publisher: NewsNode; reader: Reader }> {
    const server = await RedisServer.start();
    const { port } = server;
    const proxy = await FaultProxy.start({ target: { port } });
    onTestFinished(() => proxy.close());
    const node = await startNode({ connection: { port: proxy.port } });
    const first = await startNode({ connection: { port } });
    const reader = await Reader.join(node, CHANNEL);
    await publish(first, 95);
    await server.save();
    await publish(first, 5);
    await eventually('the reader has all', async () => reader.position.offset === 100);
    await first.app.close();
    proxy.refuse = true;
    proxy.reset();
    await server.restart();
    await spoil(server);
    const publisher = await startNode({ connection: { port } });
    await publish(publisher, 10);
    proxy.refuse = false;
    await eventually('the node is back', async () => node.broker.state === 'ready');
    await publish(publisher, 1);
    return { publisher, reader };
  }

  it.each(RUNS)('gives no offset twice under an epoch: the reader is told of the gap, %i', async () => {
    const { publisher, reader } = await restored(async () => undefined);

    await converged(publisher, [reader]);

    expect(reader.gaps).toBe(1);
    expect(await tailOf(publisher, CHANNEL)).toMatchObject({ offset: 11 });
  });

  // Negative control: with the replication id of the new life in the hash, the rule cannot see that it is another one.
  it('would, without that rule, lose what was published under the same offsets', async () => {
    const { publisher, reader } = await restored(async (server) => {
      const id = (await server.info('replication')).get('master_replid') as string;
      await server.run('hset', META, 'r', id);
    });

    await converged(publisher, [reader]);

    expect(reader.gaps).toBe(0);
    // 106 were published, and it got 100 and 6.
    expect(reader.told).toEqual(Array.from({ length: 106 }, (_, at) => at + 1));
    const { publications } = await publisher.app.channels.history(CHANNEL);
    expect(publications).toHaveLength(106);
  });
});

describe('a Redis that has lost keys', () => {
  const LOST = ['meta', 'stream', 'key', 'meta', 'stream', 'all'] as const;
  const command = fc.constantFrom(...LOST, 'publish', 'publish', 'publish', 'keyed', 'keyed', 'check');
  const commands = fc.array(command, { minLength: 50, maxLength: 60, size: 'max' });
  /** Side by side: each has a channel of its own, and all of them the same Redis. */
  const LANES = 8;

  it('loses nobody anything without a word, and publishing goes on', { timeout: 120_000 }, async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url }, { positionCheckMs: 100 });
    const redis = new Redis(server.url);
    onTestFinished(() => redis.disconnect());
    let lost = 0;

    async function follow(channel: string, todo: Iterable<string>): Promise<void> {
      const keys = `channels:{${channel}}`;
      const said = (rule?: { readonly key: string }): Promise<unknown> =>
        node.app.channels.publish(channel, 'said', 1, rule);
      const reader = await Reader.join(node, channel);
      for (const one of todo) {
        if (one === 'publish') await said();
        if (one === 'keyed') await said({ key: 'k' });
        if (one === 'meta') await redis.del(`${keys}:meta`);
        if (one === 'stream') await redis.del(`${keys}:stream`);
        if (one === 'key') await redis.del(`${keys}:key:k`);
        if (one === 'all') await redis.flushall();
        if (LOST.includes(one as (typeof LOST)[number])) lost++;
        if (one === 'check') await converged(node, [reader]);
      }
      await said();
      await converged(node, [reader]);
      await reader.leave();
    }

    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: LANES, maxLength: LANES }), async (lanes) => {
        await Promise.all(lanes.map((todo, at) => follow(`news:${at}`, todo)));
      }),
      { numRuns: 40 / LANES },
    );
    expect(lost).toBeGreaterThan(1_000);
  });

  it('rejects a publication when its memory is full, and keeps nothing of it', async () => {
    const server = await RedisServer.start({ config: { 'maxmemory-policy': 'noeviction' } });
    const node = await startNode({ connection: server.url });
    const reader = await Reader.join(node, CHANNEL);
    await publish(node, 2);
    await server.run('config', 'set', 'maxmemory', '1mb');

    await expect(node.app.channels.publish(CHANNEL, 'said', 3)).rejects.toMatchObject({
      code: 'unavailable',
    });
    await server.run('config', 'set', 'maxmemory', '0');
    await publish(node, 1);
    await converged(node, [reader]);

    expect(reader.told).toEqual([1, 2, 3]);
  });

  it.each(['publish', 'position', 'history'] as const)(
    'begins no history when its memory is full: %s',
    async (what) => {
      const server = await RedisServer.start({ config: { 'maxmemory-policy': 'noeviction' } });
      const node = await startNode({ connection: server.url });
      const rule = { size: 10, ttlMs: 60_000 };
      const begin = (name: string): Promise<unknown> => {
        if (what === 'position') return node.broker.position(name, rule);
        if (what === 'history') return node.broker.history(name, rule, { limit: 1, maxBytes: 1 });
        return node.app.channels.publish(name, 'said', 'x'.repeat(50_000));
      };
      const keys = async (name: string): Promise<unknown> => server.run('keys', `channels:{${name}}:*`);
      await server.run('config', 'set', 'maxmemory', '1mb');

      const refused = await Promise.allSettled(
        Array.from({ length: 20 }, (_, at) => begin(`news:full${at}`)),
      );
      const kept = await keys('news:full*');
      await server.run('config', 'set', 'maxmemory', '0');
      await begin('news:free');

      expect(refused.map((one) => one.status === 'rejected' && (one.reason as ChannelsError).code)).toEqual(
        Array.from({ length: 20 }, () => 'unavailable'),
      );
      expect(kept).toEqual([]);
      expect(await keys('news:free')).toContain('channels:{news:free}:meta');
    },
  );

  it('ends no history when its memory is full: what was kept is there once there is room', async () => {
    const server = await RedisServer.start({ config: { 'maxmemory-policy': 'noeviction' } });
    const node = await startNode({ connection: server.url });
    await publish(node, 2);
    await server.run('hset', META, 'r', 'of another master');
    await server.run('config', 'set', 'maxmemory', '1mb');

    await expect(node.app.channels.publish(CHANNEL, 'said', 3)).rejects.toMatchObject({
      code: 'unavailable',
    });

    expect(await server.run('xlen', STREAM)).toBe(2);
    await server.run('config', 'set', 'maxmemory', '0');
    await publish(node, 1);
    expect(await tailOf(node, CHANNEL)).toMatchObject({ offset: 1 });
  });

  it.each([
    ['allkeys-lru', 1],
    ['volatile-ttl', 1],
    ['noeviction', 0],
  ])('is warned of at the start where its policy is %s: %i times', async (policy, times) => {
    const server = await RedisServer.start({ config: { 'maxmemory-policy': policy } });

    const { warnings } = await startNode({ connection: server.url });

    expect(warnings).toHaveLength(times);
    for (const warning of warnings) expect(warning).toContain(`${policy}: it may evict histories`);
  });
});

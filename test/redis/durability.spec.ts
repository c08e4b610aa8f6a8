import { Cluster } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { Reader, startNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 60_000 });

const CHANNEL = 'news:a';
const REPLICATED = { durability: 'replicated', replicationTimeoutMs: 1_000 } as const;

describe('a publication that has to be replicated', () => {
  it('resolves where a replica has it: it outlives its master', async () => {
    const sentinels = await RedisSentinels.start();
    const node = await startNode({
      connection: { sentinels: [...sentinels.addresses], name: sentinels.name },
      ...REPLICATED,
    });

    for (let count = 0; count < 20; count++) await node.app.channels.publish(CHANNEL, 'said', count);
    const replicas = sentinels.servers.length - 1;
    const confirmed = await Promise.all(
      sentinels.servers.map((server) => server.run('xlen', `channels:{${CHANNEL}}:stream`)),
    );

    expect(replicas).toBe(2);
    expect(confirmed.filter((length) => length === 20).length).toBeGreaterThanOrEqual(2);
  });

  it('rejects where no replica confirms it, though subscribers may have it', async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url, ...REPLICATED, replicationTimeoutMs: 50 });
    const reader = await Reader.join(node, CHANNEL);

    const published = node.app.channels.publish(CHANNEL, 'said', 1);

    await expect(published).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('No replica has confirmed it within 50 ms') as string,
    });
    await vi.waitFor(() => expect(reader.told).toEqual([1]));
  });

  it('resolves in a Cluster, whatever node its channel is on', async () => {
    const { startupNodes } = await RedisCluster.start();
    const connection = new Cluster([...startupNodes], { lazyConnect: true });
    const node = await startNode({ connection, ...REPLICATED });

    const channels = Array.from({ length: 20 }, (_, at) => `news:${at}`);
    await Promise.all(channels.map((channel) => node.app.channels.publish(channel, 'said', 1)));

    const pages = await Promise.all(channels.map((channel) => node.app.channels.history(channel)));
    expect(pages.map(({ offset }) => offset)).toEqual(channels.map(() => 1));
  });
});

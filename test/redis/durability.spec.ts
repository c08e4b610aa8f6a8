import { Cluster } from 'ioredis';
import { FaultProxy } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { Reader, startNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 60_000 });

const CHANNEL = 'news:a';
const STREAM = `channels:{${CHANNEL}}:stream`;
const PUBLICATIONS = Array.from({ length: 20 }, (_, at) => at);
const REPLICATED = { durability: 'replicated', replicationTimeoutMs: 1_000 } as const;

/** A master and its replica, which hears of it by a line that can be darkened. */
async function pair(): Promise<{ master: RedisServer; replica: RedisServer; line: FaultProxy }> {
  const master = await RedisServer.start({ config: { 'repl-diskless-sync-delay': 0 } });
  const line = await FaultProxy.start({ target: { port: master.port } });
  onTestFinished(() => line.close());
  const replica = await RedisServer.start({ config: { replicaof: `${master.host} ${line.port}` } });
  await eventually(
    'the replica is in step with its master',
    async () => (await replica.info('replication')).get('master_link_status') === 'up',
  );
  return { master, replica, line };
}

describe('a publication that has to be replicated', () => {
  it('resolves where a replica has it: it outlives its master', async () => {
    const { master, replica, line } = await pair();
    const node = await startNode({ connection: master.url, ...REPLICATED });

    await Promise.all(PUBLICATIONS.map((data) => node.app.channels.publish(CHANNEL, 'said', data)));
    line.blackHole();
    const refused = node.app.channels.publish(CHANNEL, 'said', 'too late');
    await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
    await master.kill();
    await replica.run('replicaof', 'no', 'one');

    expect(await replica.run('xlen', STREAM)).toBe(PUBLICATIONS.length);
  });

  it('would resolve without a replica, and die with its master, where the master is enough', async () => {
    const { master, replica, line } = await pair();
    const node = await startNode({ connection: master.url });

    await node.app.channels.publish(CHANNEL, 'said', 'in time');
    await eventually('the replica has it', async () => (await replica.run('xlen', STREAM)) === 1);
    line.blackHole();
    await node.app.channels.publish(CHANNEL, 'said', 'too late');
    await master.kill();
    await replica.run('replicaof', 'no', 'one');

    expect(await replica.run('xlen', STREAM)).toBe(1);
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

  it('holds up nothing but its like where no replica confirms it', async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url, ...REPLICATED });
    let ended = 0;
    const published = PUBLICATIONS.map((data) =>
      node.app.channels.publish(CHANNEL, 'said', data).catch(() => ended++),
    );

    await node.app.channels.publish('live:a', 'said', 1);
    const { offset } = await node.app.channels.history(CHANNEL);

    // Each of them keeps its connection for a second.
    expect(offset).toBeGreaterThan(0);
    expect(ended).toBeLessThanOrEqual(1);
    await Promise.all(published);
    expect(node.states).toEqual([]);
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

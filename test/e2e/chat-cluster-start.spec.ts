import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { ChatProcess } from './chat-rig.js';
import { ClusterProcess } from './cluster-rig.js';

// Each test starts several processes.
vi.setConfig({ testTimeout: 90_000 });

beforeAll(ensureBuilt, 120_000);

describe('REDIS_URL of sample/01-chat', () => {
  const HELLO = { room: 'lobby', text: 'hello' };

  it('makes one chat of its nodes', async () => {
    const env = { REDIS_URL: (await RedisServer.start()).url, JWT_SECRET: 'of this test' };
    const [one, two] = await Promise.all([ChatProcess.start({ env }), ChatProcess.start({ env })]);
    const [ann, ben] = [await one.connect('Ann'), await two.connect('Ben')];
    await ben.subscribe('chat:lobby');

    await ann.request('chat.send', HELLO);

    expect(await ben.waitFor({ event: 'message' })).toMatchObject({ data: { from: 'Ann', text: 'hello' } });
    const later = await (await two.connect('Cy')).subscribe('chat:lobby');
    expect(later).toMatchObject({ data: { data: [{ from: 'Ann', text: 'hello' }] } });
  });

  it('outlives a restart of all nodes', async () => {
    const env = { REDIS_URL: (await RedisServer.start()).url, JWT_SECRET: 'of this test' };
    const before = await ChatProcess.start({ env });
    await (await before.connect('Ann')).request('chat.send', HELLO);
    await before.kill();

    const after = await (await ChatProcess.start({ env })).connect('Ben');

    expect(await after.subscribe('chat:lobby')).toMatchObject({ data: { data: [{ text: 'hello' }] } });
  });

  // Negative control for the first test above.
  it('leaves each node to itself where it is absent', async () => {
    const env = { JWT_SECRET: 'of this test' };
    const [one, two] = await Promise.all([ChatProcess.start({ env }), ChatProcess.start({ env })]);

    await (await one.connect('Ann')).request('chat.send', HELLO);

    expect(await (await two.connect('Ben')).subscribe('chat:lobby')).toMatchObject({ data: { data: [] } });
  });
});

describe('sample/03-chat-cluster', () => {
  it('takes the Redis of REDIS_URL, and starts none then', async () => {
    const redis = await RedisServer.start();
    const cluster = await ClusterProcess.start({ proxy: 'haproxy', env: { REDIS_URL: redis.url } });

    const clients = String(await redis.run('client', 'list')).split('\n');

    expect(cluster.said.filter((line) => line.startsWith('[redis]'))).toEqual([]);
    expect(clients.length).toBeGreaterThan(2);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends all that it has started on %s',
    async (signal) => {
      const cluster = await ClusterProcess.start({ proxy: 'nginx' });
      const pids = [...cluster.nodes.values()];
      const redis = Number(/pid=(\d+)/.exec(cluster.said.join('\n'))?.[1]);

      cluster.signal(signal);
      await cluster.ended();

      for (const pid of [...pids, redis]) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
      await expect(fetch(cluster.url)).rejects.toThrow('fetch failed');
    },
    60_000,
  );

  it('says which proxies there are, and ends what it has started by then', async () => {
    const start = ClusterProcess.start({ proxy: 'apache' });

    await expect(start).rejects.toThrow(/ended with 1: .*--proxy apache: there are nginx and haproxy/s);
  });

  it('says that its port is taken, and starts nothing', async () => {
    const other = await ChatProcess.start();
    const start = ClusterProcess.start({ proxy: 'nginx', port: other.port });

    await expect(start).rejects.toThrow(
      new RegExp(`ended with 1: Port ${other.port} cannot be had: .*EADDRINUSE.* PORT names another one\\.$`),
    );
  });

  it('says which program is not installed', async () => {
    const redis = await RedisServer.start();
    const start = ClusterProcess.start({ proxy: 'haproxy', env: { REDIS_URL: redis.url, PATH: '/nowhere' } });

    await expect(start).rejects.toThrow(/\[haproxy\] haproxy is not installed, or not in PATH/);
  });
});

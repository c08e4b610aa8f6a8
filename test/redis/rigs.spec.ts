import { Cluster, Redis } from 'ioredis';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../../lib/testing/fault-proxy.js';
import { eventually } from '../support/redis/eventually.js';
import { untilAfterAll } from '../support/redis/lifetime.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { freeServerPort } from '../support/redis/server-port.js';

describe('RedisServer', () => {
  it('answers, on a port of its own, with the options that it was given', async () => {
    const [one, two] = [await RedisServer.start(), await RedisServer.start({ config: { maxmemory: '3mb' } })];

    await one.run('set', 'key', 'value');

    expect([await one.run('get', 'key'), await two.run('get', 'key')]).toEqual(['value', null]);
    expect(await two.run('config', 'get', 'maxmemory')).toEqual(['maxmemory', `${3 * 1024 * 1024}`]);
    expect([one.port, two.port]).not.toContain(6379);
  });

  it('listens on the loopback interface alone, and saves nothing by itself', async () => {
    const server = await RedisServer.start();

    expect(await server.run('config', 'get', 'bind')).toEqual(['bind', '127.0.0.1']);
    expect(await server.run('config', 'get', 'save')).toEqual(['save', '']);
    expect(await server.run('config', 'get', 'appendonly')).toEqual(['appendonly', 'no']);
  });

  it('takes a list of values, and a password that is in its url', async () => {
    const limits = ['normal 0 0 0', 'pubsub 2mb 1mb 5'];
    const server = await RedisServer.start({
      config: { 'client-output-buffer-limit': limits, requirepass: 'p@ss/word' },
    });

    expect(String(await server.run('config', 'get', 'client-output-buffer-limit'))).toMatch(
      /pubsub 2097152 1048576 5/,
    );
    expect(server.url).toBe(`redis://:p%40ss%2Fword@127.0.0.1:${server.port}`);
  });

  it('says why it does not start', async () => {
    await expect(RedisServer.start({ config: { 'no-such-option': 1 } })).rejects.toThrow(/no-such-option/);
  });

  it('has nothing of before where it is killed, and what was saved where it was', async () => {
    const server = await RedisServer.start();
    const { pid, port } = server;
    await server.run('set', 'saved', '1');
    await server.save();
    await server.run('set', 'lost', '1');

    await server.restart();

    expect([await server.run('get', 'saved'), await server.run('get', 'lost')]).toEqual(['1', null]);
    expect([server.port, server.pid === pid]).toEqual([port, false]);
  });

  it.each(['kill', 'stop'] as const)('is away after %s, and rejects', async (method) => {
    const server = await RedisServer.start();

    await server[method]();

    expect(server.isRunning).toBe(false);
    await expect(server.run('ping')).rejects.toThrow('Connection is closed.');
  });

  it('is gone when its lifetime ends, also while it is frozen', async () => {
    const ends: (() => Promise<void>)[] = [];
    const server = await RedisServer.start({ lifetime: (end) => void ends.push(end) });

    server.freeze();
    await Promise.all(ends.map((end) => end()));

    expect(() => process.kill(server.pid, 0)).toThrow(/ESRCH/);
  });

  it('is silent while it is frozen, with its port open, and goes on where it was', async () => {
    const [server, neighbour] = [await RedisServer.start(), await RedisServer.start()];
    await server.run('set', 'key', 'value');
    const client = new Redis(server.url);
    onTestFinished(() => client.disconnect());
    await client.ping();

    server.freeze();
    let hasAnswered = false;
    const answer = client.get('key').finally(() => (hasAnswered = true));
    for (let round = 0; round < 50; round += 1) await neighbour.run('ping');
    const whileFrozen = hasAnswered;
    server.thaw();

    expect([whileFrozen, await answer]).toEqual([false, 'value']);
  });
});

describe('RedisCluster', () => {
  const lifetime = untilAfterAll();
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await RedisCluster.start({ lifetime });
  }, 60_000);

  it('has three masters, and refuses a command over two of them', async () => {
    const client = clusterClient();

    expect(await cluster.masters()).toHaveLength(3);
    await expect(client.mset('a', '1', 'b', '2')).rejects.toThrow(/CROSSSLOT/);
  });

  it('moves a slot under load, with what is in it and what comes meanwhile', async () => {
    const client = clusterClient();
    const from = await cluster.masterOf('{room}');
    const to = (await cluster.masters()).find((master) => master !== from);
    await Promise.all(Array.from({ length: 500 }, (_, n) => client.set(`{room}:before:${n}`, n)));
    let isMoving = true;
    const load = writeWhile(client, () => isMoving);

    await cluster.moveSlotOf('{room}', to as RedisServer);
    isMoving = false;
    const written = await load;

    const slot = await cluster.slotOf('{room}');
    expect(await to?.run('cluster', 'countkeysinslot', slot)).toBe(500 + written);
    expect(await from.run('cluster', 'countkeysinslot', slot)).toBe(0);
    expect(await cluster.masterOf('{room}')).toBe(to);
    expect(written).toBeGreaterThan(0);
  });

  it('replaces a master that was killed, by one with its keys', async () => {
    const client = clusterClient();
    await client.set('{hall}', 'kept');
    const master = await cluster.masterOf('{hall}');
    expect(await master.run('wait', 1, 5_000)).toBe(1);

    const killed = await cluster.killMasterOf('{hall}');
    const replacement = await cluster.newMasterOf('{hall}', killed);

    expect(killed).toBe(master);
    expect(await replacement.run('get', '{hall}')).toBe('kept');
    await killed.restart();
    await eventually('it comes back as a replica', async () => {
      return (await killed.info('replication')).get('role') === 'slave';
    });
    await cluster.heals();
  }, 60_000);

  function clusterClient(): Cluster {
    const client = new Cluster(cluster.startupNodes);
    onTestFinished(() => client.disconnect());
    return client;
  }
});

describe('RedisSentinels', () => {
  it('replaces a master that was killed, and a client follows', async () => {
    const trio = await RedisSentinels.start();
    const client = new Redis({ sentinels: trio.addresses, name: trio.name });
    // It says so while there is no master.
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    await client.set('key', 'value');
    expect(await client.wait(2, 5_000)).toBe(2);

    const killed = await trio.killMaster();
    const master = await trio.newMaster(killed);

    expect([await trio.master(), killed.isRunning]).toEqual([master, false]);
    expect(await eventually('the client is at the new master', () => client.get('key').then(String))).toBe(
      'value',
    );
    expect(client.stream.remotePort).toBe(master.port);
  }, 60_000);
});

describe('FaultProxy in front of Redis', () => {
  it('makes a subscriber deaf whose Redis hears it well', async () => {
    const server = await RedisServer.start();
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    onTestFinished(() => proxy.close());
    const subscriber = new Redis({ host: '127.0.0.1', port: proxy.port });
    onTestFinished(() => subscriber.disconnect());
    const heard: string[] = [];
    subscriber.on('message', (_channel, message: string) => heard.push(message));
    await subscriber.subscribe('news');

    proxy.blackHole('toClient');
    const taken = await server.run('publish', 'news', 'while deaf');
    void subscriber.subscribe('more');
    await eventually('Redis has its command', async () => {
      return ((await server.run('pubsub', 'channels')) as string[]).includes('more');
    });
    const before = [taken, subscriber.status, ...heard];
    proxy.heal();
    await eventually('it has heard', () => Promise.resolve(heard.length > 0));

    expect(before).toEqual([1, 'ready']);
    expect(heard).toEqual(['while deaf']);
  });
});

describe('freeServerPort', () => {
  it('leaves room for the bus of a cluster, and stays below what the system gives away', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freeServerPort()));

    for (const port of ports) expect([port >= 10_000, port + 10_000 < 32_768]).toEqual([true, true]);
  });
});

async function writeWhile(client: Cluster, goesOn: () => boolean): Promise<number> {
  let written = 0;
  for (; goesOn(); written += 1) await client.set(`{room}:during:${written}`, written);
  return written;
}

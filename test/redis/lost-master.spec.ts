import { Cluster } from 'ioredis';
import { FaultProxy } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { ScriptedSentinel } from '../support/redis/scripted-sentinel.js';
import { startNode, type NewsNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 60_000 });

const SILENCE_MS = 500;

/** From the time on at which the sentinel names a master that answers. */
const MOST_MS = 10_000;

interface Scene {
  readonly sentinel: ScriptedSentinel;
  readonly node: NewsNode;
  /** The way to the first master. */
  readonly way: FaultProxy;
  readonly second: RedisServer;
}

/** A node at the first of two masters, which a sentinel has told it. */
async function scene(): Promise<Scene> {
  const [first, second] = await Promise.all([RedisServer.start(), RedisServer.start()]);
  const way = await FaultProxy.start({ target: { port: first.port } });
  onTestFinished(() => way.close());
  const sentinel = await ScriptedSentinel.start(way.port);
  const { host, port, name } = sentinel;
  const node = await startNode({
    connection: { sentinels: [{ host, port }], name },
    commandTimeoutMs: SILENCE_MS,
  });
  await eventually('both connections listen for a failover', async () => sentinel.listeners === 2);
  return { sentinel, node, way, second };
}

async function publishes({ app }: NewsNode): Promise<void> {
  const what = 'a publication was accepted';
  await eventually(what, () => app.channels.publish('news:a', 'said', 1).then(() => true), MOST_MS);
}

describe('a node whose master is replaced', () => {
  // ioredis gives up for good where the news of a failover comes while it asks for the master.
  it('finds the new one when it hears of it while it asks', async () => {
    const { sentinel, node, way, second } = await scene();
    const asked = sentinel.hold();
    way.refuse = true;
    way.reset();
    await asked;

    sentinel.master = second.port;
    await sentinel.tellFailover();
    sentinel.release();
    await publishes(node);

    expect(await second.run('xlen', 'channels:{news:a}:stream')).toBe(1);
    await eventually('the node is well', async () => node.broker.state === 'ready');
  });

  it('leaves the old one when it answers nothing any more, though nobody tells of a failover', async () => {
    const { sentinel, node, way, second } = await scene();
    way.blackHole();

    sentinel.master = second.port;
    await publishes(node);

    expect(await second.run('xlen', 'channels:{news:a}:stream')).toBe(1);
    await eventually('the node is well', async () => node.broker.state === 'ready');
  });

  it('leaves an address that takes connections and never answers', async () => {
    const { sentinel, node, way, second } = await scene();
    const before = sentinel.told;
    way.blackHole();
    way.reset();
    await eventually('both connections were sent there', async () => sentinel.told >= before + 2);

    sentinel.master = second.port;
    await publishes(node);

    expect(await second.run('xlen', 'channels:{news:a}:stream')).toBe(1);
    await eventually('the node is well', async () => node.broker.state === 'ready');
  });
});

it('leaves a master of a Cluster that stands still', async () => {
  const cluster = await RedisCluster.start();
  const connection = new Cluster([...cluster.startupNodes], { lazyConnect: true });
  const node = await startNode({ connection, commandTimeoutMs: SILENCE_MS });
  const key = 'channels:{news:a}:meta';
  const old = await cluster.masterOf(key);
  old.freeze();

  const next = await cluster.newMasterOf(key, old);
  await publishes(node);

  expect(await next.run('xlen', 'channels:{news:a}:stream')).toBe(1);
});

it('asks the next sentinel where one takes connections and never answers', async () => {
  const server = await RedisServer.start();
  const sentinel = await ScriptedSentinel.start(server.port);
  const way = await FaultProxy.start({ target: { port: sentinel.port } });
  onTestFinished(() => way.close());
  way.blackHole();
  const sentinels = [way, sentinel].map(({ port }) => ({ host: sentinel.host, port }));

  const node = await startNode({
    connection: { sentinels, name: sentinel.name },
    commandTimeoutMs: SILENCE_MS,
  });

  await node.app.channels.publish('news:a', 'said', 1);
  expect(node.broker.state).toBe('ready');
});

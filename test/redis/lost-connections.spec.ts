import { Redis, type RedisOptions } from 'ioredis';
import { FaultProxy } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { converged, Reader, startNode, type NewsNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 60_000 });

/** So often are positions compared besides: too seldom to help. */
const SELDOM = { positionCheckMs: 120_000 };

/** What a client may wait until it knows. */
const RESYNC_MS = 2_000;

const CHANNELS = ['news:a', 'news:b'];

async function startProxy({ port }: RedisServer): Promise<FaultProxy> {
  const proxy = await FaultProxy.start({ target: { port } });
  onTestFinished(() => proxy.close());
  return proxy;
}

const joinAll = (node: NewsNode): Promise<Reader[]> =>
  Promise.all(CHANNELS.map((channel) => Reader.join(node, channel)));

const publishOne = (node: NewsNode): Promise<unknown> =>
  Promise.all(CHANNELS.map((channel) => node.app.channels.publish(channel, 'said', 1)));

describe('a subscriber connection that Redis closes', () => {
  it('is made again, and what was missed is read, also where nothing follows', async () => {
    const server = await RedisServer.start();
    const [publisher, node] = [
      await startNode({ connection: server.url }),
      await startNode({ connection: server.url }, SELDOM),
    ];
    const readers = await joinAll(node);
    await publishOne(publisher);
    await server.run('client', 'kill', 'type', 'pubsub');
    for (let more = 0; more < 50; more++) await publishOne(publisher);

    const tookMs = await converged(publisher, readers);

    expect(readers.map(({ position }) => position.offset)).toEqual([51, 51]);
    expect(readers.map(({ gaps }) => gaps)).toEqual([0, 0]);
    expect(tookMs).toBeLessThan(RESYNC_MS);
    await eventually('the broker was well', async () => node.broker.state === 'ready');
    expect(node.states.map(({ state }) => state)).toEqual(['away', 'ready']);
  });

  it('is closed for a buffer that is too full: nothing is lost', async () => {
    const limits = ['normal 0 0 0', 'replica 0 0 0', 'pubsub 64kb 0 0'];
    const server = await RedisServer.start({ config: { 'client-output-buffer-limit': limits } });
    const proxy = await startProxy(server);
    const publisher = await startNode({ connection: server.url });
    const node = await startNode({ connection: { port: proxy.port }, probeIntervalMs: 600_000 }, SELDOM);
    const [reader] = [await Reader.join(node, 'news:a'), await Reader.join(node, 'live:a')];
    proxy.blackHole('toClient');
    const connected = (): Promise<number> => countOf(server, 'pubsub');
    const before = await connected();

    // Into a channel without history, until the kernels have taken what they take.
    const text = 'x'.repeat(60_000);
    for (let count = 0; count < 300; count++) await publisher.app.channels.publish('live:a', 'said', text);
    for (let count = 0; count < 50; count++) await publisher.app.channels.publish('news:a', 'said', count);
    await eventually('Redis has closed it', async () => (await connected()) < before);
    proxy.heal();
    const tookMs = await converged(publisher, [reader]);

    expect(reader.position.offset).toBe(50);
    expect(reader.gaps).toBe(0);
    expect(tookMs).toBeLessThan(RESYNC_MS + 1_000);
  });

  it('tells the subscribers of channels without history that something may be missing', async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url });
    const client = await node.app.connect('/ws');
    await client.subscribe('live:a');

    await server.run('client', 'kill', 'type', 'pubsub');

    expect(await client.waitFor({ event: '$gap' })).toEqual({ event: '$gap', data: { channel: 'live:a' } });
  });
});

/** Connects for commands directly, and for all else through a proxy. */
class TwoWays extends Redis {
  #isFirst = true;

  constructor(
    server: RedisServer,
    private readonly proxy: FaultProxy,
  ) {
    super(server.url, { lazyConnect: true });
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const port = this.#isFirst ? this.options.port : this.proxy.port;
    this.#isFirst = false;
    return super.duplicate({ ...override, port });
  }
}

describe('a subscriber connection that brings nothing', () => {
  it('is found by the probe, is told as the state, and costs nobody anything', async () => {
    const server = await RedisServer.start();
    const proxy = await startProxy(server);
    const publisher = await startNode({ connection: server.url });
    const node = await startNode({ connection: new TwoWays(server, proxy), startTimeoutMs: 1_000 }, SELDOM);
    const blind = await startNode(
      { connection: new TwoWays(server, proxy), probeIntervalMs: 600_000 },
      SELDOM,
    );
    const readers = [await Reader.join(node, 'news:a'), await Reader.join(blind, 'news:a')] as const;

    proxy.blackHole('toClient');
    const start = performance.now();
    await publishOne(publisher);
    await eventually('the probe was missed', async () => node.broker.state === 'deaf', 10_000);
    const foundMs = performance.now() - start;
    const meanwhile = [readers[0].position.offset, readers[1].position.offset, blind.broker.state];
    proxy.reset();
    proxy.heal();
    await converged(publisher, readers.slice(0, 1));

    expect(foundMs).toBeLessThan(6_000);
    // Negative control: without the probe the node starves, and thinks that it is well.
    expect(meanwhile).toEqual([0, 0, 'ready']);
    expect(readers[0].gaps).toBe(0);
    await eventually('the broker was well', async () => node.broker.state === 'ready');
    expect(node.states.map(({ state }) => state)).toEqual(['deaf', 'ready']);
  });
});

async function countOf(server: RedisServer, type: string): Promise<number> {
  const list = String(await server.run('client', 'list', 'type', type));
  return list.split('\n').filter((line) => line.includes('id=')).length;
}

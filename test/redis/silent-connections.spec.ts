import { Redis, type RedisOptions } from 'ioredis';
import { FaultProxy } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { startNode, type NewsNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 60_000 });

const SELDOM = { positionCheckMs: 120_000 };

async function startProxy({ port }: RedisServer): Promise<FaultProxy> {
  const proxy = await FaultProxy.start({ target: { port } });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Of the connections that are made of it, one goes through a proxy: 0 is that for commands, 1 the first subscriber. */
class OneThroughProxy extends Redis {
  #made = 0;

  constructor(
    server: RedisServer,
    private readonly proxy: FaultProxy,
    private readonly which: number,
  ) {
    super(server.url, { lazyConnect: true });
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const port = this.#made++ === this.which ? this.proxy.port : this.options.port;
    return super.duplicate({ ...override, port });
  }
}

const states = (node: NewsNode): string[] => node.states.map(({ state }) => state);

describe('a network on which everything falls silent', () => {
  it('is found although no command is answered, and is left when it is there again', async () => {
    const server = await RedisServer.start();
    const proxy = await startProxy(server);
    const options = { connection: { port: proxy.port }, commandTimeoutMs: 500, probeIntervalMs: 400 };
    const node = await startNode(options, SELDOM);
    const client = await node.app.connect('/ws');
    await client.subscribe('live:a');

    proxy.blackHole();
    await eventually('the broker was away', async () => node.broker.state !== 'ready', 6_000);
    await expect(node.app.channels.publish('news:a', 'said', 1)).rejects.toMatchObject({
      code: 'unavailable',
    });
    proxy.reset();
    proxy.heal();
    await eventually('the broker was back', async () => node.broker.state === 'ready');

    await client.waitFor({ event: '$gap' });
    await node.app.channels.publish('live:a', 'said', 2);
    expect(await client.waitFor({ event: 'said' })).toMatchObject({ data: 2 });
  });

  it('leaves a connection for commands that brings no answers, and publishes through another one', async () => {
    const server = await RedisServer.start();
    const proxy = await startProxy(server);
    const connection = new OneThroughProxy(server, proxy, 0);
    const node = await startNode({ connection, commandTimeoutMs: 500 }, SELDOM);
    await node.app.channels.publish('news:a', 'said', 1);

    // What is open is silent for good, what is made anew is not.
    proxy.blackHole();
    await expect(node.app.channels.publish('news:a', 'said', 2)).rejects.toMatchObject({
      code: 'unavailable',
    });
    await eventually('the broker was away', async () => states(node).includes('away'), 6_000);
    proxy.reset();
    proxy.heal();

    await eventually('publishing was possible again', async () => {
      await node.app.channels.publish('news:a', 'said', 3);
      return true;
    });
  });
});

describe('a subscriber connection that was given up', () => {
  it('brings nothing any more', async () => {
    const server = await RedisServer.start();
    const proxy = await startProxy(server);
    const connection = new OneThroughProxy(server, proxy, 1);
    const node = await startNode({ connection, probeIntervalMs: 200 }, SELDOM);
    const other = await startNode({ connection: server.url });
    const client = await node.app.connect('/ws');
    await client.subscribe('live:a');
    proxy.blackHole();

    await other.app.channels.publish('live:a', 'said', 'while it was deaf');
    await client.waitFor({ event: '$gap' });
    const before = proxy.bytes.toClient;
    proxy.heal();
    await eventually('the old connection had brought it', async () => proxy.bytes.toClient > before);
    await other.app.channels.publish('live:a', 'said', 'afterwards');

    expect(await client.waitFor({ event: 'said' })).toMatchObject({ data: 'afterwards' });
  });
});

describe('what waits for a Redis that does not answer', () => {
  it('is bounded in bytes, and is as much again when it answers', async () => {
    const server = await RedisServer.start();
    const options = { connection: server.url, commandTimeoutMs: 5_000, maxPendingBytes: 4_000 };
    const node = await startNode({ ...options, probeIntervalMs: 600_000 }, SELDOM);
    const publish = (): Promise<void> => node.app.channels.publish('news:a', 'said', 'x'.repeat(850));
    await publish();
    server.freeze();

    const outcomes = Promise.allSettled([publish(), publish(), publish()]);
    server.thaw();
    const settled = await outcomes;
    await publish();

    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(settled[2]).toMatchObject({
      reason: {
        code: 'unavailable',
        message: expect.stringMatching(/^\d+ bytes wait for Redis: maxPendingBytes \(4000\) bounds them$/),
      },
    });
  });

  it('is one alone where that is longer', async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url, maxPendingBytes: 10 }, SELDOM);

    await node.app.channels.publish('news:a', 'said', 'x'.repeat(1_000));

    expect(await node.app.channels.history('news:a')).toMatchObject({ offset: 1 });
  });
});

import { Cluster } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { RedisSentinels } from '../support/redis/redis-sentinels.js';
import { allHear, note, refusedUntil, sayFigures } from './failover-figures.js';
import { converged, Publisher, Reader, startNode, type NewsNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 120_000 });

/** From the new master on until every subscriber knows where it stands. */
const MOST_MS = 10_000;

const PER_SECOND = 200;

/** `npm run test:failovers` asks for more. */
const RUNS = Array.from({ length: Number(process.env['FAILOVERS'] ?? 2) }, (_, at) => at + 1);

interface Scene {
  readonly nodes: readonly NewsNode[];
  readonly readers: readonly Reader[];
  readonly publisher: Publisher;
  readonly channels: readonly string[];
}

/** Two nodes with readers of some channels, and publications on their way to them. */
async function scene(connect: () => object, channels: readonly string[]): Promise<Scene> {
  const nodes = [await startNode({ connection: connect() }), await startNode({ connection: connect() })];
  const readers: Reader[] = [];
  for (const node of nodes) for (const channel of channels) readers.push(await Reader.join(node, channel));
  const publisher = new Publisher(nodes[0] as NewsNode, channels, PER_SECOND);
  onTestFinished(() => publisher.stop());
  await publisher.accepts(100);
  return { nodes, readers, publisher, channels };
}

/** Goes on for a while, and says how long the slowest reader took behind the new master. */
async function ends(kind: string, { nodes, readers, publisher }: Scene): Promise<number> {
  const start = performance.now();
  await allHear(readers);
  const hears = performance.now() - start;
  await publisher.accepts(100, MOST_MS);
  await publisher.stop();
  await converged(nodes[1] as NewsNode, readers);
  const took = performance.now() - start;
  note(kind, { publishes: refusedUntil(publisher, start), hears, ends: took });
  return took;
}

sayFigures();

/** Of every epoch that a reader was told of it got all that it had to. */
const stands = (readers: readonly Reader[]): unknown[] => readers.map(({ position }) => position);

describe.each(RUNS)('a failover with Sentinels under load, %i', () => {
  it('loses nothing that nobody is told of', async () => {
    const sentinels = await RedisSentinels.start();
    const now = await scene(
      () => ({ sentinels: [...sentinels.addresses], name: sentinels.name }),
      ['news:a', 'news:b'],
    );

    const old = await sentinels.killMaster();
    await sentinels.newMaster(old);
    const tookMs = await ends('Sentinel', now);

    expect(tookMs).toBeLessThan(MOST_MS);
    expect(now.publisher.refused).toBeGreaterThan(0);
    // The new master has another history: whatever it lacks, nobody goes on as if nothing had happened.
    expect(now.readers.map(({ gaps }) => gaps > 0)).toEqual(now.readers.map(() => true));
    expect(stands(now.readers)).toHaveLength(4);
  });
});

describe('a Cluster under load', () => {
  const CHANNELS = Array.from({ length: 12 }, (_, at) => `news:${at}`);

  function connectTo(cluster: RedisCluster): () => Cluster {
    const template = new Cluster([...cluster.startupNodes], { lazyConnect: true });
    return () => template;
  }

  it.each(RUNS)('loses nothing that nobody is told of when a master dies, %i', async () => {
    const cluster = await RedisCluster.start();
    const key = 'channels:{news:0}:meta';
    const now = await scene(connectTo(cluster), CHANNELS);

    const old = await cluster.killMasterOf(key);
    await cluster.newMasterOf(key, old);
    const tookMs = await ends('death of a Cluster master', now);

    expect(tookMs).toBeLessThan(MOST_MS);
    const told = now.readers.filter(({ gaps }) => gaps > 0).map(({ channel }) => channel);
    expect(told).toContain('news:0');
  });

  it.each(RUNS)('loses nothing that nobody is told of when a slot moves ten times, %i', async () => {
    const cluster = await RedisCluster.start();
    const key = 'channels:{news:0}:meta';
    const now = await scene(connectTo(cluster), CHANNELS.slice(0, 3));

    for (let move = 0; move < 10; move++) {
      const masters = await cluster.masters();
      const owner = await cluster.masterOf(key);
      const next = masters[(masters.indexOf(owner) + 1) % masters.length];
      if (!next) throw new Error('a cluster has several masters');
      await cluster.moveSlotOf(key, next);
      await now.publisher.accepts(20);
    }
    const tookMs = await ends('slot moved', now);

    expect(tookMs).toBeLessThan(MOST_MS);
    await eventually('all nodes were well', async () =>
      now.nodes.every(({ broker }) => broker.state === 'ready'),
    );
  });
});

import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Arrivals } from '../support/arrivals.js';
import { RedisBroker, type RedisConnection } from '../../lib/redis/index.js';
import { quietNode } from '../contract/broker-bench.js';
import { RedisServer } from '../support/redis/redis-server.js';

const LIVE = 'live:a';
const NEWS = 'news:a';
const RULE = { history: { size: 10, ttlMs: 60_000 } };

interface Started {
  readonly broker: RedisBroker;
  readonly got: Arrivals<string | undefined>;
}

async function start(connection: RedisConnection): Promise<Started> {
  const broker = new RedisBroker(connection);
  const got = new Arrivals<string | undefined>();
  await broker.start(({ data }) => got.add(data), quietNode());
  onTestFinished(() => broker.close());
  await broker.subscribe(LIVE);
  await broker.subscribe(NEWS);
  return { broker, got };
}

async function publish({ broker }: Started, data: string): Promise<void> {
  await broker.publish({ channel: LIVE, event: 'n', data });
  await broker.publish({ channel: NEWS, event: 'n', data }, RULE);
}

/** Each names the database of the server at the port in another way. */
const WAYS: readonly (readonly [string, (port: number, db: number) => RedisConnection])[] = [
  ['a url', (port, db) => `redis://127.0.0.1:${port}/${db}`],
  ['options', (port, db) => ({ port, db })],
  ['a Redis', (port, db) => new Redis({ port, db, lazyConnect: true })],
];

// Pub/sub of Redis knows no databases: a client of one application would hear what another one publishes.
describe.each(WAYS)('two databases of one Redis, named by %s', (_what, connectionTo) => {
  it('have nothing to do with each other, and nodes of the same one have', async () => {
    const { port } = await RedisServer.start();
    const [first, second, other] = await Promise.all([0, 0, 1].map((db) => start(connectionTo(port, db))));
    const [third, fourth] = await Promise.all([1, 12].map((db) => start(connectionTo(port, db))));
    if (!first || !second || !other || !third || !fourth) throw new Error('they have not started');

    await publish(other, '"of 1"');
    await publish(fourth, '"of 12"');
    await publish(first, '"of 0"');

    for (const [node, data] of [
      [first, '"of 0"'],
      [second, '"of 0"'],
      [third, '"of 1"'],
      [other, '"of 1"'],
      [fourth, '"of 12"'],
    ] as const) {
      expect([await node.got.next(), await node.got.next()]).toEqual([data, data]);
    }
  });
});

it('ask and answer in the database of their own', async () => {
  const server = await RedisServer.start();
  const seen: string[] = [];
  const monitor = await new Redis(server.url, { lazyConnect: true }).monitor();
  onTestFinished(() => monitor.disconnect());
  monitor.on('monitor', (_time: string, [command = '', ...names]: string[]) => {
    if (/^subscribe$/i.test(command)) seen.push(...names);
  });
  const { broker } = await start(`${server.url}/3`);

  await broker.nodes.start({
    ...quietNode(),
    answer: () => Promise.resolve(''),
  });
  onTestFinished(() => broker.nodes.close());

  const ours = seen.filter((name) => !name.includes(':probe:'));
  expect(ours.length).toBeGreaterThan(3);
  expect(ours.filter((name) => !name.startsWith('channels:{3}:'))).toEqual([]);
});

import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisBroker } from '../../lib/redis/index.js';
import { quietNode } from '../contract/broker-bench.js';
import { RedisServer } from '../support/redis/redis-server.js';

const CHANNEL = 'news:a';
const META = `channels:{${CHANNEL}}:meta`;
const RULE = { size: 10, ttlMs: 60_000 };
const BLANK_MS = 600_000;
const DAY_MS = 86_400_000;

async function start(): Promise<{ server: RedisServer; broker: RedisBroker }> {
  const server = await RedisServer.start();
  const broker = new RedisBroker(server.url);
  await broker.start(() => undefined, quietNode());
  onTestFinished(() => broker.close());
  return { server, broker };
}

/** How often Redis has written, which it hands on to its replicas. */
async function writesOf(server: RedisServer): Promise<number> {
  return Number((await server.info('persistence')).get('rdb_changes_since_last_save'));
}

describe.each([
  ['without publications', 0, BLANK_MS],
  ['with publications', 1, DAY_MS],
])('the position of a channel %s', (_what, count, wholeMs) => {
  async function startAt(leftMs: number): Promise<{ server: RedisServer; look: () => Promise<number> }> {
    const { server, broker } = await start();
    await broker.position(CHANNEL, RULE);
    if (count > 0) await broker.publish({ channel: CHANNEL, event: 'n' }, { history: RULE });
    await server.run('pexpire', META, leftMs);
    const look = async (): Promise<number> => {
      const before = await writesOf(server);
      await broker.position(CHANNEL, RULE);
      await broker.history(CHANNEL, RULE, { limit: 1, maxBytes: 1 });
      return (await writesOf(server)) - before;
    };
    return { server, look };
  }

  it('is looked at without a write while more than half of its time is left', async () => {
    const { look } = await startAt(0.6 * wholeMs);

    expect(await look()).toBe(0);
  });

  it('is kept for its whole time again when less is left', async () => {
    const { server, look } = await startAt(0.45 * wholeMs);

    expect(await look()).toBe(1);
    expect(Number(await server.run('pttl', META))).toBeGreaterThan(0.9 * wholeMs);
  });
});

it('of a channel whose history is of another life is kept as that of one without publications', async () => {
  const { server, broker } = await start();
  await broker.publish({ channel: CHANNEL, event: 'n' }, { history: RULE });
  await server.run('hset', META, 'r', 'of another master');

  await broker.position(CHANNEL, RULE);

  const left = Number(await server.run('pttl', META));
  expect(left).toBeGreaterThan(0.9 * BLANK_MS);
  expect(left).toBeLessThanOrEqual(BLANK_MS);
});

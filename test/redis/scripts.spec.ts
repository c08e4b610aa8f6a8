import { readdirSync } from 'node:fs';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import type { Script } from '../../lib/redis/script.js';
import { SCRIPTS } from '../../lib/redis/scripts.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { Reader, startNode } from './news-nodes.js';

const FOLDER = new URL('../../lib/redis/scripts/', import.meta.url);

it('are all in the list of those that are loaded', async () => {
  const modules = await Promise.all(
    readdirSync(FOLDER).map((file) => import(new URL(file, FOLDER).href) as Promise<object>),
  );
  const defined = modules.flatMap((one) => Object.values(one).filter((value) => typeof value === 'object'));

  expect(defined.length).toBeGreaterThan(10);
  expect(names(SCRIPTS)).toEqual(names(defined as Script[]));
});

it('are known to Redis before they are asked for, and again behind its restart', async () => {
  const server = await RedisServer.start();
  const shas = SCRIPTS.map(({ sha }) => sha);
  const node = await startNode({ connection: server.url });
  const atStart = await server.run('script', 'exists', ...shas);

  await server.restart();
  await expect.poll(() => node.broker.state, { timeout: 10_000 }).toBe('ready');

  expect(atStart).toEqual(shas.map(() => 1));
  expect(await server.run('script', 'exists', ...shas)).toEqual(shas.map(() => 1));
});

it('run where Redis has forgotten them', async () => {
  const server = await RedisServer.start();
  const seen: string[] = [];
  const redis = new Redis(server.url, { lazyConnect: true });
  onTestFinished(() => redis.disconnect());
  const node = await startNode({ connection: server.url });
  const monitor = await redis.monitor();
  onTestFinished(() => monitor.disconnect());
  monitor.on('monitor', (_time: string, [command = '']: readonly string[]) => seen.push(command));
  const reader = await Reader.join(node, 'news:a');

  await server.run('script', 'flush');
  await node.app.channels.publish('news:a', 'said', 1);

  await expect.poll(() => reader.told).toEqual([1]);
  expect(seen).toContain('eval');
});

function names(scripts: readonly Script[]): string[] {
  return scripts.map(({ name }) => name).toSorted();
}

import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../support/redis/redis-server.js';
import { startNode } from './news-nodes.js';

const BAD = [
  'news:*',
  '*',
  'news:{a}',
  'news:a\r\nPUBLISH x y',
  'news:\0',
  `news:${'a'.repeat(10_240)}`,
  'news:\ud800',
  'news:[a]',
  'news:a?',
  'news: a',
];

it('refuses names that mean something to Redis, and never asks it for a pattern', async () => {
  const server = await RedisServer.start();
  const seen: string[] = [];
  const redis = new Redis(server.url, { lazyConnect: true });
  onTestFinished(() => redis.disconnect());
  const monitor = await redis.monitor();
  onTestFinished(() => monitor.disconnect());
  monitor.on('monitor', (_time: string, args: readonly string[]) => seen.push(args.join(' ')));
  const { app } = await startNode({ connection: server.url });
  const client = await app.connect('/ws');

  for (const name of BAD) {
    const { error } = await client.subscribe(name);
    expect([name, error?.code]).toEqual([name, expect.stringMatching(/bad_request|unknown_channel/)]);
    await expect(app.channels.publish(name, 'said', 1)).rejects.toMatchObject({ code: 'bad_request' });
    await expect(app.channels.history(name)).rejects.toMatchObject({ code: 'bad_request' });
  }
  await client.subscribe('news:a');
  await app.channels.publish('news:a', '*', { '*': '\r\n\0' });
  await client.waitFor({ event: '*' });

  expect(seen.filter((line) => /psubscribe|pubsub|keys /i.test(line))).toEqual([]);
  expect(seen.some((line) => /^subscribe .*channels:channel:news:a/i.test(line))).toBe(true);
  // What reaches Redis has no name but those that were allowed.
  const named = seen.flatMap((line) => line.match(/channels:\{[^}]*\}/g) ?? []);
  expect(new Set(named)).toEqual(new Set(['channels:{news:a}', 'channels:{nodes}']));
});

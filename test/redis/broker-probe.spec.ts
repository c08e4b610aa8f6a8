import { expect, it } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { startNode } from './news-nodes.js';

it('tells how long what a node publishes takes through Redis and back', async () => {
  const { url } = await RedisServer.start();
  const times: number[] = [];

  await startNode(
    { connection: url, probeIntervalMs: 20 },
    { observers: [{ probed: (ms: number) => times.push(ms) }] },
  );

  await eventually('some have come back', async () => times.length >= 3);
  for (const ms of times) expect(ms).toBeGreaterThan(0);
});

import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { LateCounter } from '../../lib/metrics/late-counter.js';

it('has all that was counted, however often it is asked', async () => {
  const registry = new Registry();
  const acks = new LateCounter({ name: 'acks', help: 'Answers', labelNames: ['event', 'outcome'] }, registry);
  const lines = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('acks{'));

  acks.inc('said', 'done');
  acks.inc('said', 'failed', 2);
  const first = await lines();
  acks.inc('said', 'done');

  expect(first).toEqual(['acks{event="said",outcome="done"} 1', 'acks{event="said",outcome="failed"} 2']);
  expect(await lines()).toEqual([
    'acks{event="said",outcome="done"} 2',
    'acks{event="said",outcome="failed"} 2',
  ]);
  expect(await lines()).toEqual(await lines());
});

it('has one label where there is one', async () => {
  const registry = new Registry();
  const counter = new LateCounter(
    { name: 'published', help: 'Publications', labelNames: ['channel'] },
    registry,
  );

  counter.inc('chat:{room}', '', 3);

  expect(await registry.metrics()).toContain('published{channel="chat:{room}"} 3');
});

it('begins anew behind a reset', async () => {
  const registry = new Registry();
  const counter = new LateCounter(
    { name: 'published', help: 'Publications', labelNames: ['channel'] },
    registry,
  );

  counter.inc('a', '', 3);
  registry.resetMetrics();
  counter.inc('a');

  expect(await registry.metrics()).toContain('published{channel="a"} 1');
});

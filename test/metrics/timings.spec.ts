import { Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { Timings } from '../../lib/metrics/timings.js';

const METRIC = { name: 'handlers', help: 'How long they took', buckets: [0.1, 1, 10] };

function both(): { ours: Registry; theirs: Registry; observe: (event: string, seconds: number) => void } {
  const [ours, theirs] = [new Registry(), new Registry()];
  const timings = new Timings({ ...METRIC, label: 'event' }, ours);
  const histogram = new Histogram({ ...METRIC, labelNames: ['event'], registers: [theirs] });
  const observe = (event: string, seconds: number): void => {
    timings.observe(event, seconds);
    histogram.observe({ event }, seconds);
  };
  return { ours, theirs, observe };
}

/** Those of prom-client have room for one with each value, and nothing in it. */
function withoutExemplars(metrics: readonly object[]): object[] {
  return JSON.parse(JSON.stringify(metrics), (key, value: unknown) =>
    key === 'exemplar' ? undefined : value,
  );
}

/** Labels are a set. */
const inOrder = (text = ''): string =>
  text.replaceAll(/\{([^}]*)\}/g, (_, labels: string) => `{${labels.split(',').toSorted().join(',')}}`);

it('serves what a histogram of prom-client serves', async () => {
  const { ours, theirs, observe } = both();

  for (const seconds of [0, 0.1, 0.100_1, 1, 9.9, 10, 10.1, 1_000]) observe('said', seconds);
  observe('"quoted"\\', 0.5);

  expect(await ours.metrics()).toBe(await theirs.metrics());
  expect(await ours.getMetricsAsJSON()).toMatchObject(withoutExemplars(await theirs.getMetricsAsJSON()));
});

it('does so before anything was observed, behind default labels, and behind a reset', async () => {
  const { ours, theirs, observe } = both();
  const before = [await ours.metrics(), await theirs.metrics()];
  for (const registry of [ours, theirs]) registry.setDefaultLabels({ node: 'a' });

  observe('said', 1);
  const labelled = [await ours.metrics(), await theirs.metrics()];
  for (const registry of [ours, theirs]) registry.resetMetrics();

  expect(before[0]).toBe(before[1]);
  expect(inOrder(labelled[0])).toBe(inOrder(labelled[1]));
  expect(await ours.metrics()).toBe(await theirs.metrics());
});

it('is refused where its name is taken', () => {
  const { ours } = both();

  expect(() => new Timings({ ...METRIC, label: 'event' }, ours)).toThrow('has already been registered');
});

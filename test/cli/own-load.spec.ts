import { performance } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import { OwnLoad } from '../../lib/cli/own-load.js';
import { tickUntil } from '../../lib/cli/ticks.js';

it('sees that its event loop stood still', async () => {
  const own = new OwnLoad();
  // The delay is measured from one look to the next.
  await tickUntil((ms) => ms >= 30);

  const until = performance.now() + 200;
  while (performance.now() < until);
  await tickUntil((ms) => ms >= 30);
  const { eventLoopDelayP99Ms, cpuPercent } = own.stop();

  expect(eventLoopDelayP99Ms).toBeGreaterThan(100);
  expect(cpuPercent).toBeGreaterThan(0);
});

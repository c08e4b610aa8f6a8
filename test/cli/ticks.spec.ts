import { expect, it, vi } from 'vitest';
import { tickUntil } from '../../lib/cli/ticks.js';

it('ends when the step says so, and tells how long it has taken', async () => {
  const steps: number[] = [];

  const elapsedMs = await tickUntil((ms) => steps.push(ms) === 3);

  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  expect(elapsedMs).toBe(steps[2]);
});

it('takes no step once the signal has aborted', async () => {
  const step = vi.fn<() => boolean>(() => false);

  await tickUntil(step, AbortSignal.abort());

  expect(step).not.toHaveBeenCalled();
});

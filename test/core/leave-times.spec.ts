import { describe, expect, it } from 'vitest';
import { LeaveTimes } from '../../lib/core/leave-times.js';

function leaving(...times: readonly number[]): LeaveTimes {
  const leaves = new LeaveTimes();
  for (const ms of times) leaves.add(ms);
  return leaves;
}

describe('the times at which connections have left', () => {
  it.each([
    ['none', [], 0],
    ['all at once', [5, 5, 5], 3],
    ['within a second', [0, 400, 999], 3],
    ['a second apart', [0, 1_000, 2_000], 1],
    ['a crowd after a while', [0, 60_000, 60_100, 60_200], 3],
    ['over the edge of a second', [900, 950, 1_000, 1_050], 4],
    ['a crowd that has passed', [0, 0, 0, 0, 5_000, 5_100], 4],
    ['long after the beginning', [7_200_000, 7_200_050, 7_201_000], 2],
  ])('have their peak: %s', (_, times, peak) => {
    const leaves = leaving(...times);

    expect([leaves.count, leaves.peakPerSecond]).toEqual([times.length, peak]);
  });
});

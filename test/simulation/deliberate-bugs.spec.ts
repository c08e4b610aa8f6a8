import { describe, expect, it } from 'vitest';
import { BUGS } from './bugs.js';
import { run } from './crew.js';

const RUN = { seed: 2, count: 3_000, timeoutMs: 170_000, workers: 1 };

// A simulation that finds nothing proves nothing: each guard of the library is taken away once.
describe('three thousand histories', () => {
  it('find nothing in the library as it is', { timeout: 180_000 }, async () => {
    const { failure } = await run(RUN);

    expect(failure).toBe(undefined);
  });

  it.each(BUGS)('find that $name', { timeout: 180_000 }, async ({ file, find, replace, finds }) => {
    const { failure } = await run({ ...RUN, mutation: { file, find, replace } });

    expect(finds).toContain(failure?.invariant);
  });
});

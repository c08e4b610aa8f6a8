import { afterAll } from 'vitest';

/** Takes what ends a thing, and calls it when the thing's time is over. */
export type Lifetime = (end: () => Promise<void>) => void;

/**
 * A lifetime as long as that of the file or `describe` in which it is made, for what `beforeAll` starts. What came
 * last ends first. Made while tests are collected, because a hook cannot register another.
 */
export function untilAfterAll(): Lifetime {
  const ends: (() => Promise<void>)[] = [];
  afterAll(async () => {
    const results = await Promise.allSettled(ends.splice(0).map((end) => end()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  });
  return (end) => void ends.unshift(end);
}

import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { ChaosProcess } from '../support/chaos-process.js';

const SECONDS = 120;
const TIMEOUT_MS = 240_000;

/** `npm run soak` asks for eight times as many a second: here others run beside it. */
const LEAST = 3_000;

interface Report {
  readonly connections: number;
  readonly steps: number;
  readonly tables: number;
  /** The bars that were not met. */
  readonly missed: readonly string[];
}

function soak(seconds: number, ...args: string[]): Promise<Report> {
  const seed = randomInt(2 ** 31);
  const all = ['--json', '--seconds', String(seconds), '--seed', String(seed), ...args];
  // It takes all that there is: what runs beside it comes first.
  return new ChaosProcess('../../bench/soak', all, ['nice', '-n', '10']).result<Report>();
}

it('stays level for two minutes, and is empty in the end', { timeout: TIMEOUT_MS }, async () => {
  const report = await soak(SECONDS, '--least', String(LEAST));

  expect(report.missed).toEqual([]);
  expect(report.connections).toBeGreaterThanOrEqual(LEAST);
  expect(report.steps).toBeGreaterThan(LEAST);
  expect(report.tables).toBeGreaterThan(20);
});

// A soak that finds nothing proves nothing: each of these leaks, or turns peers away, on purpose.
it.each([
  ['memory', 25, /^heap /],
  ['table', 8, /^1 of \d+ tables are not empty \(leak: \d+\)$/],
  ['full', 8, /turned away without a reason/],
])('would find a fault of the kind %s', { timeout: TIMEOUT_MS }, async (leak, seconds, found) => {
  const { missed } = await soak(seconds, '--least', '100', '--leak', leak);

  expect(missed.some((text) => found.test(text))).toBe(true);
});

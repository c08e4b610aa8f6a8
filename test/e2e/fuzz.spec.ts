import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ChaosProcess } from '../support/chaos-process.js';

const SECONDS = 60;
const INPUTS = 10_000;
/** What a bug takes to be found at the most: far more than it takes. */
const BUG_SECONDS = 30;
const TIMEOUT_MS = 240_000;

/** `npm run fuzz` asks for 100 ms, of a machine that does nothing else; here other specs run beside it. */
const P99_MS = 500;

interface Report {
  readonly inputs: number;
  readonly classes: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly good: { readonly answers: number; readonly p99Ms: number };
  readonly violations: readonly string[];
}

/** `npm run fuzz` with a seed that it says, so that a run that fails can be repeated. */
function start(seconds: number, ...args: string[]): ChaosProcess {
  const seed = randomInt(2 ** 31);
  return new ChaosProcess('../fuzz/run', [
    ...['--seconds', String(seconds), '--seed', String(seed), '--p99', String(P99_MS)],
    ...args,
  ]);
}

describe('ten thousand bad inputs', () => {
  it('are each answered as documented, while a good client is served', { timeout: TIMEOUT_MS }, async () => {
    const report = await start(SECONDS).result<Report>();

    expect(report.violations).toEqual([]);
    expect(report.code).toBe(0);
    expect(report.inputs).toBeGreaterThanOrEqual(INPUTS);
    expect(report.good.answers).toBeGreaterThan(500);
    expect(report.good.p99Ms).toBeLessThanOrEqual(P99_MS);
    // What was to come has come: every kind of input, and every kind of end.
    expect(Object.keys(report.classes).length).toBeGreaterThanOrEqual(23);
    const ends = ['exception bad_frame', 'ack bad_request', 'ack unknown_event', 'ack unknown_channel'];
    const closes = ['closed 1002', 'closed 1007', 'closed 1008', 'closed 1009', 'closed 4500'];
    expect(Object.keys(report.outcomes)).toEqual(expect.arrayContaining([...ends, ...closes]));
  });

  // Fuzzing that finds nothing proves nothing: each of these is planted once.
  it.each([
    ['handler', 'unhandledRejection'],
    ['codec', 'a fault bad_frame that was not counted'],
    ['nesting', 'a fault bad_frame that was not counted'],
    ['length', 'not with 1009'],
  ])('find the bug of the %s', { timeout: TIMEOUT_MS }, async (bug, found) => {
    const report = await start(BUG_SECONDS, '--bug', bug).result<Report>();

    expect(report.code).toBe(1);
    expect(report.violations.join('\n')).toContain(found);
  });
});

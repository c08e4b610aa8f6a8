import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ChaosProcess } from '../support/chaos-process.js';

const SECONDS = 60;
const CHECKED = 20_000;
/** A quarter of the run is enough where nobody watches. */
const UNWATCHED_SECONDS = 15;
const TIMEOUT_MS = 240_000;

interface Report {
  readonly checked: number;
  readonly recovered: number;
  readonly gaps: number;
  readonly lostOnTheWay: number;
  readonly connectionsLost: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

/** `npm run chaos` with a seed that it says, so that a run that fails can be repeated. */
function start(seconds: number, ...args: string[]): ChaosProcess {
  const seed = randomInt(2 ** 31);
  return new ChaosProcess('run', ['--seconds', String(seconds), '--seed', String(seed), ...args]);
}

describe('200 clients on a bad network, whose servers are killed and whose broker loses', () => {
  it('are kept every promise', { timeout: TIMEOUT_MS }, async () => {
    const report = await start(SECONDS).result<Report>();

    expect(report.violations).toEqual([]);
    expect(report.code).toBe(0);
    expect(report.checked).toBeGreaterThanOrEqual(CHECKED);
    // What was to go wrong has gone wrong.
    const happened = { ...report.faults, lost: report.lostOnTheWay, connections: report.connectionsLost };
    const faults = ['latency', 'reset', 'cut', 'black hole', 'SIGKILL', 'SIGTERM', 'lost', 'connections'];
    expect(Object.keys(happened)).toEqual(expect.arrayContaining(faults));
    expect(Math.min(...Object.values(happened))).toBeGreaterThan(0);
    expect(report.recovered).toBeGreaterThan(100);
  });

  it('are not, where the gap watch is taken out', { timeout: TIMEOUT_MS }, async () => {
    const report = await start(UNWATCHED_SECONDS, '--without', 'node,positions,client').result<Report>();

    expect(report.code).toBe(1);
    expect(report.violations.some((text) => text.includes('untold'))).toBe(true);
  });
});

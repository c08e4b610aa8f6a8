import { describe, expect, it } from 'vitest';
import { runJitter } from '../support/jitter.js';

const CLIENTS = 100;
const CROWD = ['--clients', String(CLIENTS)];

/** Two processes that start and connect on a busy machine, twice that where the server is started again. */
const TIMEOUT_MS = 150_000;

describe('clients whose connections are all cut every 15 s, and away for 2 s', () => {
  it(
    'get every publication of 30 s and the one behind them, once and soon',
    { timeout: TIMEOUT_MS },
    async () => {
      const result = await runJitter(...CROWD, '--seconds', '30', '--only', 'channels');

      expect(result).toMatchObject({
        delivered: 31 * CLIENTS,
        repeated: 0,
        holes: 0,
        told: 0,
      });
      expect(result.replayMs.p99).toBeLessThanOrEqual(3_500);
      // Or nothing of it would have been tested.
      expect(Math.min(result.cuts, result.recovered)).toBeGreaterThanOrEqual(CLIENTS);
      expect(result.hints).toBeGreaterThanOrEqual(CLIENTS / 2);
      expect(result.replayed).toBeGreaterThanOrEqual(CLIENTS);
    },
  );

  it('get it all when they are cut at the same time', { timeout: TIMEOUT_MS }, async () => {
    const result = await runJitter(...CROWD, '--seconds', '8', '--only', 'channels', '--together');

    expect(result).toMatchObject({ delivered: 9 * CLIENTS, repeated: 0, holes: 0, told: 0, cuts: CLIENTS });
  });

  it('lose some without a history, and are told of it', { timeout: TIMEOUT_MS }, async () => {
    const result = await runJitter(...CROWD, '--seconds', '8', '--only', 'no-history', '--together');

    expect(result).toMatchObject({ holes: CLIENTS, undetected: 0, repeated: 0 });
    expect(result.delivered).toBeLessThan(9 * CLIENTS);
  });

  it('lose some without our protocol, and are told of nothing', { timeout: TIMEOUT_MS }, async () => {
    const result = await runJitter(...CROWD, '--seconds', '8', '--only', 'ws', '--together');

    expect(result).toMatchObject({ undetected: CLIENTS, told: 0 });
  });
});

describe('clients whose server is killed (SIGKILL) and started again while their connections are cut', () => {
  it('go on where it is, and are told of what they have missed', { timeout: TIMEOUT_MS }, async () => {
    const result = await runJitter(...CROWD, '--seconds', '24', '--kill', '10', '--only', 'channels');

    expect(result).toMatchObject({ undetected: 0, repeated: 0, behind: 0 });
    // The history is gone, and everybody has been told: who ignored it would see this many holes.
    expect(result.told).toBeGreaterThanOrEqual(CLIENTS);
    expect(result.holes).toBeGreaterThan(0);
  });
});

import { describe, expect, it } from 'vitest';
import { runNodeDeath } from '../support/node-death.js';

const CLIENTS = 250;
const CROWD = ['--clients', String(CLIENTS), '--rate', '80', '--seconds', '3'];

/** The lease of a claim is 30 s: orders that the node has died over are answered behind it. The rest is starts. */
const TIMEOUT_MS = 240_000;

/** The lease of a node, a sweep and a look; later only where the last client is later. */
const COUNTED_MS = 13_000;

describe('clients behind a balancer whose node is killed (SIGKILL) while it publishes and takes orders', () => {
  it(
    'are back on the other one with all that they missed, counted right, and with one effect of each order',
    { timeout: TIMEOUT_MS },
    async () => {
      const { before, backMs, presence, orders, ...result } = await runNodeDeath(...CROWD);

      expect(before).toMatchObject({ 'client doomed': CLIENTS });
      expect(result).toMatchObject({ back: CLIENTS, away: 0, behind: 0, unanswered: 0 });
      expect(backMs.max).toBeLessThanOrEqual(30_000);
      for (const tapes of Object.values(result.tapes)) {
        expect(tapes).toMatchObject({
          repeated: 0,
          undetected: 0,
          delivered: tapes.clients * result.published,
        });
      }
      expect(orders).toMatchObject({ effects: orders.sent, missing: 0, doubles: 0, rejected: {} });
      expect(presence).toMatchObject({ wrongRosters: 0, wrongEvents: 0, exactMs: expect.any(Number) });
      expect(presence.countsRightMs).toBeLessThanOrEqual(Math.max(COUNTED_MS, backMs.max + 1_000));
      // Or nothing of it would have been tested.
      expect(result.recovered).toBeGreaterThanOrEqual(CLIENTS);
      expect(Math.min(orders.again, presence.wrongLooks, presence.rosters)).toBeGreaterThan(0);
    },
  );

  it(
    'have holes that nobody told of, and doubled orders, without what keeps the promises',
    { timeout: TIMEOUT_MS },
    async () => {
      const { back, tapes, orders } = await runNodeDeath(...CROWD, '--without', 'history,gaps,acks,ids');

      expect(back).toBe(CLIENTS);
      expect(tapes.client.undetected).toBeGreaterThan(CLIENTS / 2);
      expect(tapes.watcher).toMatchObject({ undetected: 0 });
      expect(orders.doubles).toBeGreaterThan(0);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';

/** What a server says that gives slots. */
const later = (retryAfterMs: number, slot = 'k3fQ'): { code: number; reason: string } => ({
  code: 1013,
  reason: JSON.stringify({ retryAfterMs, slot }),
});

/** What each attempt has offered beside our subprotocol. */
const ticketsOf = ({ server }: ClientRig): string[][] =>
  server.peers.map(({ socket }) => socket.protocols.slice(1).map(String));

describe('a slot', () => {
  it.each([1, 2, 3, 4, 5])('is kept to the millisecond, without a jitter (seed %i)', async (seed) => {
    const rig = new ClientRig({}, seed);
    rig.server.reception = later(7_000);

    rig.client.connect();
    await rig.pass(20);

    expect(rig.client.state).toMatchObject({ name: 'waiting', delayMs: 7_000, ordered: true });
  });

  it('is what the next attempt brings, and no other', async () => {
    const rig = new ClientRig();
    rig.server.reception = later(7_000);
    rig.client.connect();
    await rig.pass(20);

    rig.server.reception = 'accept';
    await rig.comeBack();
    await rig.reconnect();

    expect(ticketsOf(rig)).toEqual([[], ['nestjs-channels.slot.k3fQ'], []]);
  });

  it('is not for a hint to shorten, but for connect(), which brings the ticket', async () => {
    const rig = new ClientRig();
    rig.server.reception = later(60_000);
    rig.client.connect();
    await rig.pass(20);

    rig.client.connect();
    await rig.pass(20);

    expect(ticketsOf(rig)).toEqual([[], ['nestjs-channels.slot.k3fQ']]);
  });

  it('of no wait is met with the backoff: no server is asked again at once for ever', async () => {
    const rig = new ClientRig();
    rig.server.reception = later(0);

    rig.client.connect();
    await rig.pass(60_000);

    expect(rig.server.attempts.length).toBeLessThan(40);
  });

  it.each(['{"retryAfterMs":7000,"slot":5}', '{"retryAfterMs":7000,"slot":null}', '{"retryAfterMs":7000}'])(
    'is none in %s: the wait is followed by a jitter',
    async (reason) => {
      const rig = new ClientRig();
      rig.server.reception = { code: 1013, reason };

      rig.client.connect();
      await rig.pass(20);

      expect((rig.client.state as { delayMs?: number }).delayMs).toBeGreaterThan(7_000);
      await rig.comeBack();
      expect(ticketsOf(rig)).toEqual([[], []]);
    },
  );
});

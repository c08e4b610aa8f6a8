import { describe, expect, it, onTestFinished } from 'vitest';
import { ChannelsClient } from '../../lib/client/index.js';
import { ClientRig } from './client-rig.js';
import { seeded } from './fake-server.js';

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

  it.each(['refuse', 'hang', { code: 1006 }] as const)(
    'is kept over an attempt without an answer (%j)',
    async (none) => {
      const rig = new ClientRig({ connectTimeoutMs: 1_000 });
      rig.server.reception = later(7_000);
      rig.client.connect();
      await rig.pass(20);

      rig.server.reception = none;
      await rig.pass(7_000);
      rig.server.reception = 'accept';
      await rig.pass(2_000);
      const [owner] = ticketsOf(rig).slice(-1);
      await rig.reconnect();

      expect(rig.server.attempts.length).toBeGreaterThanOrEqual(4);
      expect([owner, ticketsOf(rig).at(-1)]).toEqual([['nestjs-channels.slot.k3fQ'], []]);
    },
  );

  it('is given up for the one that the server gives instead', async () => {
    const rig = new ClientRig();
    rig.server.reception = later(7_000);
    rig.client.connect();
    await rig.pass(20);

    rig.server.reception = later(3_000, 'b7Xc');
    await rig.comeBack();
    await rig.comeBack();

    expect(ticketsOf(rig)).toEqual([[], ['nestjs-channels.slot.k3fQ'], ['nestjs-channels.slot.b7Xc']]);
  });

  it('is over where a later refusal gives none', async () => {
    const rig = new ClientRig();
    rig.server.reception = later(7_000);
    rig.client.connect();
    await rig.pass(20);

    rig.server.reception = { code: 1013, reason: '{"retryAfterMs":7000}' };
    await rig.comeBack();
    await rig.comeBack();

    expect(ticketsOf(rig)).toEqual([[], ['nestjs-channels.slot.k3fQ'], []]);
  });

  it('is not brought to the url of another client', async () => {
    const rig = new ClientRig();
    rig.server.reception = later(7_000);
    rig.client.connect();
    await rig.pass(20);

    const { clock, server } = rig;
    const other = new ChannelsClient('ws://other', { clock, random: seeded(2), WebSocket: server.WebSocket });
    onTestFinished(() => other.close());
    other.connect();
    await rig.pass(20);

    expect(ticketsOf(rig)).toEqual([[], []]);
  });

  it('is no failure: waits in a row end at no maxRetries, and let no backoff grow', async () => {
    const rig = new ClientRig({ maxRetries: 1 });
    rig.server.reception = later(7_000);

    rig.client.connect();
    await rig.pass(70_000);

    expect(rig.server.attempts.length).toBeGreaterThanOrEqual(10);
    expect(rig.client.state).toMatchObject({ name: 'waiting', failures: 0, delayMs: 7_000 });
    rig.server.reception = 'refuse';
    await rig.pass(10_000);
    const failed = rig.states.filter((state) => state.name === 'waiting' && state.failures > 0);
    expect(failed).toMatchObject([{ failures: 1 }]);
    expect((failed[0] as { delayMs?: number }).delayMs).toBeLessThanOrEqual(500);
    expect(rig.client.state).toMatchObject({ name: 'closed', reason: 'gave_up' });
  });

  it.each(['{"retryAfterMs":0,"slot":"k3fQ"}', '{"retryAfterMs":7000}', '{"slot":"k3fQ"}'])(
    'is what counts against no maxRetries, but %s does',
    async (reason) => {
      const rig = new ClientRig({ maxRetries: 0 });
      rig.server.reception = { code: 1013, reason };

      rig.client.connect();
      await rig.pass(20);

      expect(rig.client.state).toMatchObject({ name: 'closed', reason: 'gave_up' });
    },
  );

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

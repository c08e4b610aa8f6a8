import { describe, expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';

describe('a server that goes away', () => {
  it('is left in the slot that it has given, and met again at once', async () => {
    const rig = await ClientRig.open();

    rig.server.peer.send({ event: '$drain', data: { reconnectAfterMs: 3_000 } });
    await rig.pass(2_990);
    const before = rig.server.attempts.length;
    await rig.pass(20);

    expect([before, rig.server.attempts.length]).toEqual([1, 2]);
    expect(rig.client.state.name).toBe('open');
  });

  it('may leave the time out, which means now', async () => {
    const rig = await ClientRig.open();

    rig.server.peer.send({ event: '$drain' });
    await rig.pass(20);

    expect(rig.server.attempts).toHaveLength(2);
    expect(rig.states.map(({ reason }) => reason)).toEqual(['requested', 'welcomed']);
  });

  // A balancer that keeps sending clients to the node that drains: without a wait they would go round as
  // fast as the network carries them, and never give up.
  it('is not hammered when it drains whoever comes back', async () => {
    const rig = new ClientRig();
    rig.server.onHello = (peer) => {
      void Promise.resolve().then(() => peer.send({ event: '$drain', data: { reconnectAfterMs: 0 } }));
      return { data: rig.server.welcome() };
    };

    rig.client.connect();
    await rig.pass(60_000);

    expect(rig.server.attempts.length).toBeGreaterThan(2);
    expect(rig.server.attempts.length).toBeLessThan(30);
  });
});

import { describe, expect, it } from 'vitest';
import { deaf, Rig } from './engine-rig.js';

const OFF = { heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0 };

describe('a peer that does not answer its close', () => {
  it('is gone a second after its session has ended', async () => {
    const rig = await Rig.start(OFF);
    const peer = rig.open({ principal: 'ada', expiresAt: rig.clock.wallNow() + 1_000 }, deaf());

    await rig.clock.advance(1_250);
    const told = [...peer.transport.calls];
    await rig.clock.advance(999);
    const before = [...peer.transport.calls];
    await rig.clock.advance(1);

    expect([told, before]).toEqual([
      ['end 4401 come back with a new token'],
      ['end 4401 come back with a new token'],
    ]);
    expect(peer.transport.calls).toEqual(['end 4401 come back with a new token', 'destroy']);
    expect(rig.engine.connections.size).toBe(0);
  });

  it('is gone a second after it was revoked, and counts once', async () => {
    const rig = await Rig.start(OFF);
    const peer = rig.open({ principal: 'ada' }, deaf());
    const { revocations } = rig.engine;

    const first = await revocations.add(revocations.parse({ principal: 'ada' }, undefined));
    const second = await revocations.add(revocations.parse({ principal: 'ada' }, undefined));
    await rig.clock.advance(1_000);

    expect([first.closed, second.closed]).toEqual([1, 0]);
    expect(peer.transport.calls.at(-1)).toBe('destroy');
    expect(rig.engine.connections.size).toBe(0);
  });
});

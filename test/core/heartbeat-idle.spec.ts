import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rig, say, type Peer } from './engine-rig.js';
import { tolerance } from './heartbeat-rig.js';

const ECHO = { event: 'echo', acked: false, handle: () => undefined };
const CHANNEL = { subscribe: { event: '$subscribe', acked: true, handle: () => undefined } };

/** A peer that answers every ping at once. */
async function alive(idleTimeoutMs: number): Promise<{ rig: Rig; peer: Peer }> {
  const rig = await Rig.start({ idleTimeoutMs, handlers: [ECHO], channels: { 'chat:{room}': CHANNEL } });
  const peer = rig.open();
  peer.transport.onPing = () => void (peer.transport.bytesRead += 6);
  return { rig, peer };
}

describe('idleTimeoutMs', () => {
  it('closes with 4510 a peer that answers pings and says nothing of its own', async () => {
    const { rig, peer } = await alive(300_000);

    await rig.clock.advance(299_999);
    expect(rig.journal.entries).toEqual(['opened']);
    await rig.clock.advance(tolerance(300_000));

    expect(peer.transport.calls.at(-1)).toMatch(/^end 4510 /);
    expect(rig.journal.entries).toEqual(['opened', 'closed 4510']);
    expect(peer.transport.pings).toBeGreaterThan(9);
  });

  it('terminates who was never heard and leaves the close unanswered, and gives others the time of any close', async () => {
    const rig = await Rig.start({ idleTimeoutMs: 5_000 });
    const [mute, heard] = [rig.open(), rig.open()];
    for (const { transport } of [mute, heard]) transport.answersClose = false;
    await rig.clock.advance(1_000);
    heard.transport.bytesRead += 6;

    await rig.clock.advance(5_000);

    const words = (calls: readonly string[]): string[] => calls.map((call) => call.split(' ', 2).join(' '));
    expect(words(mute.transport.calls)).toEqual(['end 4510', 'destroy']);
    expect(words(heard.transport.calls)).toEqual(['end 4510']);
  });

  it('counts from the last message, whenever that came', async () => {
    const times = fc.record({
      idleTimeoutMs: fc.integer({ min: 100, max: 100_000 }),
      share: fc.double({ min: 0, max: 0.99, noNaN: true }),
    });

    await fc.assert(
      fc.asyncProperty(times, async ({ idleTimeoutMs, share }) => {
        const { rig, peer } = await alive(idleTimeoutMs);
        await rig.clock.advance(Math.floor(share * idleTimeoutMs));
        say(peer, { event: 'echo' });

        await rig.clock.advance(idleTimeoutMs - 1);
        const before = [...rig.journal.entries];
        await rig.clock.advance(1 + tolerance(idleTimeoutMs));

        expect(before).toEqual(['opened']);
        expect(rig.journal.entries).toEqual(['opened', 'closed 4510']);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['a message', { event: 'echo' }],
    ['a message with an id', { event: 'echo', id: 1 }],
    ['a message that no handler has', { event: 'nobody' }],
  ])('takes %s for something of its own', async (_what, frame) => {
    const { rig, peer } = await alive(60_000);

    for (let minute = 0; minute < 10; minute += 1) {
      await rig.clock.advance(59_999);
      say(peer, frame);
    }

    expect(rig.journal.entries).toEqual(['opened']);
  });

  it.each([
    ['$ping', { event: '$ping' }],
    ['$pong', { event: '$pong' }],
    ['a command', { event: '$subscribe', id: 1, data: { channel: 'chat:lobby' } }],
    ['an answer', { ack: 1 }],
    ['a text keep-alive', { type: 'ping' }],
    ['a frame that cannot be read', { event: 7 }],
  ])('does not take %s for something of its own', async (_what, frame) => {
    const { rig, peer } = await alive(60_000);

    for (let second = 0; second < 60 + 7; second += 10) {
      say(peer, frame);
      await rig.clock.advance(10_000);
    }

    expect(rig.journal.entries).toEqual(['opened', 'closed 4510']);
  });

  it('is off by default', async () => {
    const rig = await Rig.start();
    const { transport } = rig.open();
    transport.onPing = () => void (transport.bytesRead += 6);

    await rig.clock.advance(60 * 60 * 1_000);

    expect(rig.journal.entries).toEqual(['opened']);
  });
});

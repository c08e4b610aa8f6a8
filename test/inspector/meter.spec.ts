import { describe, expect, it, onTestFinished } from 'vitest';
import { LISTED } from '../../lib/inspector/figures.js';
import { MAX_CHANNELS, Meter } from '../../lib/inspector/meter.js';
import { Rig, type Peer } from '../core/engine-rig.js';

const SECOND = 1_000;

async function start(): Promise<{ rig: Rig; meter: Meter; peer: Peer }> {
  const rig = await Rig.start();
  const peer = rig.open();
  const meter = new Meter(rig.engine);
  onTestFinished(() => meter.stop());
  return { rig, meter, peer };
}

/** A handler of the application has ended so often, after so long. */
function handled({ rig, peer }: { rig: Rig; peer: Peer }, times: number, ms: number): void {
  for (let n = 0; n < times; n++) rig.engine.observers.handled(peer.connection, 'echo', ms);
}

describe('Meter', () => {
  it('counts by second, whatever time has passed', async () => {
    const { rig, meter } = await start();
    meter.start();
    for (let n = 0; n < 6; n++) rig.open();
    await rig.clock.advance(2 * SECOND);

    const { connections, rates } = meter.read();

    expect([connections, rates.opened]).toEqual([7, 3]);
  });

  it('counts nothing twice, and nothing from before its start or behind its end', async () => {
    const { rig, meter } = await start();
    meter.start();
    rig.open();
    await rig.clock.advance(SECOND);
    const first = meter.read().rates.opened;
    await rig.clock.advance(SECOND);
    const second = meter.read().rates.opened;
    meter.stop();
    rig.open();
    meter.start();
    await rig.clock.advance(SECOND);

    expect([first, second, meter.read().rates.opened]).toEqual([1, 0, 0]);
  });

  it('may be started and stopped twice', async () => {
    const { rig, meter } = await start();

    meter.start();
    meter.start();
    rig.open();
    await rig.clock.advance(SECOND);
    const { opened } = meter.read().rates;
    meter.stop();
    meter.stop();

    expect([opened, meter.isRunning]).toEqual([1, false]);
  });

  it('tells the median and the 99th percentile of handlers', async () => {
    const all = await start();
    const { rig, meter } = all;
    meter.start();
    handled(all, 98, 2);
    handled(all, 2, 500);
    await rig.clock.advance(SECOND);

    const { handlers } = meter.read();

    expect(handlers.count).toBe(100);
    // The histogram of Node keeps three digits.
    expect(handlers.p50Ms).toBeCloseTo(2, 1);
    expect(handlers.p99Ms / 500).toBeCloseTo(1, 2);
    expect(handlers.maxMs / 500).toBeCloseTo(1, 2);
  });

  it('takes a handler that took no time at all for one', async () => {
    const all = await start();
    all.meter.start();
    handled(all, 1, 0);

    expect(all.meter.read().handlers).toMatchObject({ count: 1, p99Ms: 0 });
  });

  it.each([
    [LISTED.channels, false],
    [LISTED.channels + 1, true],
  ])('of %i channels lists 50, and says of others that there are more: %s', async (count, more) => {
    const { meter, peer } = await start();
    for (let n = 0; n < count; n++) await peer.connection.subscriptions.join(`chat:${n}`);
    meter.start();

    const { busiest, channels, moreChannels } = meter.read();

    expect([busiest.length, channels, moreChannels]).toEqual([LISTED.channels, count, more]);
  });

  it('says that there are more where channels are listed that nobody is in any more', async () => {
    const { rig, meter, peer } = await start();
    meter.start();
    for (let n = 0; n < LISTED.channels; n++) rig.engine.observers.delivered(`left:${n}`, 1);
    const before = meter.read().moreChannels;
    for (let n = 0; n < LISTED.channels; n++) rig.engine.observers.delivered(`left:${n}`, 1);
    await peer.connection.subscriptions.join('quiet');

    const { busiest, moreChannels } = meter.read();

    expect(busiest.map(({ name }) => name)).not.toContain('quiet');
    expect([before, moreChannels]).toEqual([false, true]);
  });

  it('lists channels by publications, then by subscribers', async () => {
    const { rig, meter, peer } = await start();
    const other = rig.open();
    for (const channel of ['quiet', 'full', 'busy']) await peer.connection.subscriptions.join(channel);
    await other.connection.subscriptions.join('full');
    meter.start();
    for (let n = 0; n < 3; n++) rig.engine.hub.deliver({ channel: 'busy', event: 'said' });
    await rig.clock.advance(SECOND);

    expect(meter.read().busiest).toEqual([
      { name: 'busy', subscribers: 1, publicationsPerSecond: 3 },
      { name: 'full', subscribers: 2, publicationsPerSecond: 0 },
      { name: 'quiet', subscribers: 1, publicationsPerSecond: 0 },
    ]);
  });

  it('tells as many channels apart as its limit says, and leaves the publications of one more out', async () => {
    const { rig, meter } = await start();
    meter.start();
    const { observers } = rig.engine;
    for (let n = 0; n < MAX_CHANNELS; n++) observers.delivered(`chat:${n}`, 1);
    for (let n = 0; n < 5; n++) observers.delivered('one-more', 9);
    for (let n = 0; n < 2; n++) observers.delivered(`chat:${MAX_CHANNELS - 1}`, 1);
    await rig.clock.advance(SECOND);

    const { busiest } = meter.read();

    expect(busiest[0]).toMatchObject({ name: `chat:${MAX_CHANNELS - 1}`, publicationsPerSecond: 3 });
    expect(busiest.map(({ name }) => name)).not.toContain('one-more');
  });
});

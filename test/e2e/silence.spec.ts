import { once } from 'node:events';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { CHANNEL, connectPeer, startLiveness } from './liveness-rig.js';

/** The defaults. */
const INTERVAL_MS = 25_000;
const TIMEOUT_MS = 30_000;

describe('With the default options, silence of the link', () => {
  it('for 3 s reaps nobody, even when it begins before the ping', async () => {
    const clock = new TestClock();
    const { app, endings } = await startLiveness({}, clock);
    const proxy = await app.proxy();
    const client = await app.connectTo(proxy.url('/ws'));
    await client.subscribe(CHANNEL);
    await clock.advance(0.79 * INTERVAL_MS);

    proxy.blackHole();
    // The ping goes out, at the latest after the whole interval, and is held for another 3 s.
    await clock.advance(0.21 * INTERVAL_MS + 3_000);
    proxy.heal();
    await app.channels.publish(CHANNEL, 'news');
    await client.waitFor({ event: 'news' });
    await client.request('pulse');
    const pings = client.pings;
    await clock.advance(TIMEOUT_MS - 1_000);

    expect([endings.codes, pings]).toEqual([[], 1]);
  });

  it('that does not end reaps at 30 s', async () => {
    const clock = new TestClock();
    const { app, endings } = await startLiveness({}, clock);
    const proxy = await app.proxy();
    await app.connectTo(proxy.url('/ws'));
    await clock.advance(1_000);

    proxy.blackHole();
    await clock.advance(TIMEOUT_MS - 1_000);
    const before = endings.codes;
    await clock.advance(0.1 * TIMEOUT_MS + 1_000);

    expect([before, endings.codes]).toEqual([[], [4_408]]);
  });

  it('reaps nobody whose pongs come through', async () => {
    const clock = new TestClock();
    const { app, endings } = await startLiveness({}, clock);
    const proxy = await app.proxy();
    const peer = await connectPeer(proxy.url('/ws'));

    for (let minute = 0; minute < 10; minute += 1) {
      const ping = once(peer, 'ping');
      await clock.advance(INTERVAL_MS);
      await ping;
      // Behind the pong, so that the pong has been read when this is answered.
      const answer = once(peer, 'message');
      peer.send('{"event":"$ping"}');
      await answer;
    }

    expect(endings.codes).toEqual([]);
  });
});

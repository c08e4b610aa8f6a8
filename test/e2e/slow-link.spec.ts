import { performance } from 'node:perf_hooks';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { SlowReader } from '../support/slow-reader.js';
import { CHANNEL, startLiveness, type Endings } from './liveness-rig.js';

const KIB = 1_024;
const LINK_BYTES_PER_SECOND = 32 * KIB;
const DUE_BYTES = 900 * KIB;
const MESSAGES = 15;

/** The defaults. */
const INTERVAL_MS = 25_000;
const TIMEOUT_MS = 30_000;

const SUBSCRIBE = JSON.stringify({ event: '$subscribe', id: 1, data: { channel: CHANNEL } });
const PULSE = JSON.stringify({ event: 'pulse' });

interface SlowRead {
  readonly reader: SlowReader;
  readonly endings: Endings;
}

/** Publishes so many bytes, in messages that are short enough for one. */
async function publish(app: ChannelsTestApp, event: string, bytes: number): Promise<void> {
  for (let sent = 0; sent < MESSAGES; sent += 1) {
    await app.channels.publish(CHANNEL, event, 'x'.repeat(bytes / MESSAGES));
  }
}

/**
 * 900 KiB fall due to a reader that reads 32 KiB of real bytes for each second of injected time. It
 * is the worst moment: the peer has not been heard for as long as possible, and a ping is just to be
 * sent behind them. Gives what has come when all of it has been read, or the connection has ended.
 */
async function readSlowly(options: ChannelsModuleOptions): Promise<SlowRead> {
  const clock = new TestClock();
  const { app, gateway, endings } = await startLiveness(options, clock);
  const reader = await SlowReader.connect(app.port);
  await gateway.hears(() => reader.say(SUBSCRIBE, PULSE));
  await clock.advance(0.8 * INTERVAL_MS - 1);
  await publish(app, 'news', DUE_BYTES);

  for (let second = 1; second * LINK_BYTES_PER_SECOND <= DUE_BYTES; second += 1) {
    await clock.advance(1_000);
    if (endings.all.length > 0) return { reader, endings };
    await reader.read(LINK_BYTES_PER_SECOND);
  }
  await clock.advance(1_000);
  await reader.readOn();
  // Behind the pong, so that the pong has been read as well.
  await gateway.hears(() => reader.say(PULSE));
  await clock.advance(0.9 * TIMEOUT_MS);
  return { reader, endings };
}

describe('A reader on a 32 KiB/s link with 900 KiB due', () => {
  it('lives with the default options and gets every byte (injected time)', async () => {
    const { reader, endings } = await readSlowly({});

    expect(endings.codes).toEqual([]);
    expect(reader.messages.filter((text) => text.includes('"news"'))).toHaveLength(MESSAGES);
  });

  it('is reaped where the bytes buy no time (injected time)', async () => {
    const { endings } = await readSlowly({ drainTimeoutMs: TIMEOUT_MS });

    expect(endings.codes).toEqual([4_408]);
  });

  it('lives with the default options and gets every byte (real time)', async () => {
    const { app, endings } = await startLiveness({});
    const proxy = await app.proxy();
    const client = await app.connectTo(proxy.url('/ws'), { timeoutMs: 60_000 });
    await client.subscribe(CHANNEL);
    proxy.bytesPerSecond = LINK_BYTES_PER_SECOND;
    // Keeps the link busy for 5 s, so that the pong comes later than 30 s after the last byte of the peer.
    await publish(app, 'before', 5 * LINK_BYTES_PER_SECOND);
    const quietSince = performance.now();
    for (let count = 0; count < MESSAGES; count += 1) await client.waitFor({ event: 'before' });

    await publish(app, 'news', DUE_BYTES);
    for (let count = 0; count < MESSAGES; count += 1) await client.waitFor({ event: 'news' });
    const drainedAfterMs = performance.now() - quietSince;
    // Its answer comes behind the pong.
    await client.request('pulse');

    expect(drainedAfterMs).toBeGreaterThan(TIMEOUT_MS);
    expect(client.pings).toBeGreaterThan(0);
    expect(endings.codes).toEqual([]);
  }, 90_000);
});

import { Redis } from 'ioredis';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { probeMessage, Subscriber } from '../../lib/redis/subscriber.js';
import { Deferred } from '../support/deferred.js';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';

const PROBE_MS = 100;

interface Broken {
  /** Ways whose probes Redis takes, and which bring nothing back. */
  readonly lost?: readonly string[];
  /** Ways whose probes Redis does not take. */
  readonly silent?: readonly string[];
}

/** A subscriber whose probes go out on ways of these names. */
async function probed(ways: readonly string[], { lost = [], silent = [] }: Broken = {}) {
  const { url } = await RedisServer.start();
  const clock = new TestClock();
  const publisher = new Redis(url);
  const listener = new Redis(url);
  const attached = new Deferred();
  const detached: string[] = [];
  const times: number[] = [];
  let heard = 0;
  await listener.subscribe('probe');
  listener.on('message', () => heard++);
  const subscriber = new Subscriber({
    clock,
    connect: () => new Redis(url, { lazyConnect: true, retryStrategy: () => null }),
    retryDelay: () => 600_000,
    connectTimeoutMs: 600_000,
    probeChannel: 'probe',
    probeIntervalMs: PROBE_MS,
    probe: (number) =>
      ways.map((way) => {
        if (silent.includes(way)) return { way, sent: new Promise(() => undefined) };
        if (lost.includes(way)) return { way, sent: publisher.ping() };
        return { way, sent: publisher.publish('probe', probeMessage(way, number)) };
      }),
    probed: (ms) => times.push(ms),
    attached: () => attached.resolve(),
    detached: (state, reason) => detached.push(`${state}: ${reason}`),
  });
  onTestFinished(() => {
    subscriber.close();
    publisher.disconnect();
    listener.disconnect();
  });
  subscriber.start();
  await attached.promise;
  // What this connection gets was sent before the answer to what it asks.
  const fence = (): Promise<void> =>
    subscriber.listen(`fence ${heard} ${clock.now()}`, () => undefined).catch(() => undefined);
  const probe = async (): Promise<void> => {
    const before = heard;
    await clock.advance(PROBE_MS);
    const back = ways.length - lost.length - silent.length;
    if (detached.length === 0) await eventually('they were back', async () => heard === before + back);
    await fence();
  };
  /** Brings a probe back that Redis had not taken. */
  const bring = async (way: string, number: number): Promise<void> => {
    const before = heard;
    await publisher.publish('probe', probeMessage(way, number));
    await eventually('it was back', async () => heard === before + 1);
    await fence();
  };
  return { clock, probe, bring, detached, times };
}

describe('a connection that is probed on several ways', () => {
  it('tells of each probe how long it took', async () => {
    const { probe, times } = await probed(['one', 'other']);

    for (let round = 0; round < 3; round++) await probe();

    // The clock of the test stands still meanwhile.
    expect(times).toEqual([0, 0, 0, 0, 0, 0]);
  });

  // Whichever came back was taken for the one that was sent last.
  it('tells how long the one took that has come back, whatever was sent behind it', async () => {
    const { clock, probe, bring, times } = await probed(['one'], { silent: ['one'] });
    await probe();
    await clock.advance(PROBE_MS / 2);

    for (const number of [1, 2, 3]) {
      await clock.advance(PROBE_MS);
      await bring('one', number);
    }

    expect(times).toEqual([150, 150, 150]);
  });

  it('stays as long as they come back late, each behind the next one', async () => {
    const { probe, bring, detached } = await probed(['one'], { silent: ['one'] });
    await probe();

    for (let number = 1; number <= 5; number++) {
      await probe();
      await bring('one', number);
    }

    expect(detached).toEqual([]);
  });

  it('remembers the times of the last three of each way', async () => {
    const { probe, bring, times } = await probed(['one', 'other'], { silent: ['other'] });
    for (let round = 0; round < 5; round++) await probe();
    times.length = 0;

    for (const number of [1, 2, 3, 4, 5]) await bring('other', number);

    expect(times).toEqual([200, 100, 0]);
  });

  it('takes the time of one that comes twice once', async () => {
    const { probe, bring, times } = await probed(['one'], { silent: ['one'] });
    await probe();

    await bring('one', 1);
    await bring('one', 1);

    expect(times).toEqual([0]);
  });

  it('tells of none that does not come back', async () => {
    const { probe, times } = await probed(['one', 'other'], { lost: ['other'] });

    await probe();
    await probe();

    expect(times).toEqual([0, 0]);
  });

  it('stays as long as the probes of all come back', async () => {
    const { probe, detached } = await probed(['one', 'other']);

    for (let round = 0; round < 10; round++) await probe();

    expect(detached).toEqual([]);
  });

  it('is given up when those of one do not, whatever comes by the others', async () => {
    const { probe, detached } = await probed(['one', 'other'], { lost: ['other'] });

    await probe();
    await probe();
    const before = [...detached];
    await probe();

    expect(before).toEqual([]);
    expect(detached).toEqual(['deaf: 2 probes have not come back']);
  });

  it('stays when Redis does not take those of one: that is the trouble of another connection', async () => {
    const { probe, detached } = await probed(['one', 'other'], { silent: ['other'] });

    for (let round = 0; round < 10; round++) await probe();

    expect(detached).toEqual([]);
  });

  it('is given up when nothing comes back by any, whether Redis has taken it or not', async () => {
    const { probe, detached } = await probed(['one', 'other'], { silent: ['one', 'other'] });

    for (let round = 0; round < 3; round++) await probe();

    expect(detached).toEqual(['deaf: 2 probes have not come back']);
  });

  it('stays where there is no way to probe', async () => {
    const { probe, detached } = await probed([]);

    for (let round = 0; round < 5; round++) await probe();

    expect(detached).toEqual([]);
  });
});

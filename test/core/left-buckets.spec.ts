import { describe, expect, it } from 'vitest';
import { LeftBuckets } from '../../lib/core/left-buckets.js';
import { TokenBucket } from '../../lib/core/token-bucket.js';
import { Rig, say, settled, type Peer } from './engine-rig.js';

const RATE = { points: 10, perMs: 1_000, burst: 4 };
const RATES = { messagesPerSecond: 10, messageBurst: 4, maxChannelsPerConnection: 2, maxInFlight: 2 };

function missing(points: number): { readonly messages: TokenBucket } {
  const messages = new TokenBucket(RATE, 0);
  messages.take(points);
  return { messages };
}

describe('LeftBuckets', () => {
  it('hands them on once, and forgets those that are full again', () => {
    const left = new LeftBuckets({ maxConnectionsPerPrincipal: 2, maxRateBuckets: 2 });
    const [one, two] = [missing(1), missing(4)];
    left.leave('ada', one, 0);
    left.leave('bob', two, 0);
    left.leave('cem', missing(0), 0);

    left.sweep(100);

    expect([left.take('ada'), left.take('cem'), left.size]).toEqual([undefined, undefined, 1]);
    expect([left.take('bob'), left.take('bob'), left.size]).toEqual([two, undefined, 0]);
  });

  it('keeps as many as a principal may have connections, and as many principals as it says', () => {
    const left = new LeftBuckets({ maxConnectionsPerPrincipal: 2, maxRateBuckets: 2 });
    const all = [missing(1), missing(2), missing(3)] as const;
    for (const buckets of all) left.leave('ada', buckets, 0);
    left.leave('bob', missing(1), 0);
    const atTheLimit = left.size;

    left.leave('cem', missing(1), 0);

    expect([atTheLimit, left.size, left.take('ada')]).toEqual([2, 2, undefined]);
    for (const buckets of all) left.leave('dee', buckets, 0);
    expect([left.take('dee'), left.take('dee'), left.take('dee')]).toEqual([all[2], all[1], undefined]);
  });

  it('knows nobody who is anonymous', () => {
    const left = new LeftBuckets({ maxConnectionsPerPrincipal: 2, maxRateBuckets: 2 });

    left.leave('', missing(4), 0);

    expect(left.size).toBe(0);
  });
});

/** What of five messages is refused on a connection that has just been made. */
async function refusalsOf(peer: Peer): Promise<number> {
  for (let at = 0; at < 5; at += 1) say(peer, { event: 'echo', id: `${at}` });
  await settled();
  return peer.transport.frames.filter((text) => text.includes('rate_limited')).length;
}

describe('who comes back', () => {
  it.each([
    ['ada', 'ada', 5],
    ['ada', 'bob', 1],
    ['', '', 1],
  ])('has no more than who stays: %j, and then %j', async (first, second, refusals) => {
    const rig = await Rig.start({
      ...RATES,
      heartbeatIntervalMs: 0,
      heartbeatTimeoutMs: 0,
      handlers: [{ event: 'echo', acked: false, handle: () => undefined }],
    });
    const peer = rig.open({ principal: first });
    expect(await refusalsOf(peer)).toBe(1);
    peer.transport.drop();
    await settled();

    expect(await refusalsOf(rig.open({ principal: second }))).toBe(refusals);
  });

  it('joins its channels at once all the same', async () => {
    const room = { subscribe: { event: '$subscribe', acked: true, handle: () => undefined } };
    const rig = await Rig.start({ ...RATES, messagesPerSecond: 0, channels: { 'room:{id}': room } });
    const join = async (): Promise<number> => {
      const peer = rig.open({ principal: 'ada' });
      for (const id of [1, 2])
        say(peer, { event: '$subscribe', id: `${id}`, data: { channel: `room:${id}` } });
      await settled();
      const { channels } = { channels: [...peer.connection.subscriptions.channels()] };
      peer.transport.drop();
      await settled();
      return channels.length;
    };

    expect([await join(), await join(), await join()]).toEqual([2, 2, 2]);
  });
});

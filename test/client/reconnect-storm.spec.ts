import { beforeAll, describe, expect, it } from 'vitest';
import { ChannelsClient, type ClientRandom } from '../../lib/client/index.js';
import { FakeServer, seeded } from './fake-server.js';
import { StormClock } from './storm-clock.js';

const CLIENTS = 1_000;
const OUTAGE_MS = 30_000;
const HEADSTART_MS = 2_000;
const LARGEST_SHARE = 0.12;

interface Storm {
  /** Attempts since the loss, by the second in which they were made. */
  readonly perSecond: readonly number[];
  readonly total: number;
  readonly open: number;
}

/** A thousand clients lose their server at one instant; it is back after half a minute. */
async function storm(
  random: (client: number) => ClientRandom,
  outage: 'refuse' | 'hang' = 'refuse',
): Promise<Storm> {
  const clock = new StormClock();
  const server = new FakeServer(clock);
  const clients = Array.from({ length: CLIENTS }, (_, client) => {
    const options = { clock, random: random(client), WebSocket: server.WebSocket };
    return new ChannelsClient('ws://fake', options);
  });
  for (const client of clients) client.connect();
  await clock.advance(15_000);

  const lostAt = clock.now();
  server.attempts.length = 0;
  server.reception = outage;
  for (const peer of server.peers) peer.cut();
  await clock.advance(OUTAGE_MS);
  server.reception = 'accept';
  await clock.advance(60_000);

  const perSecond: number[] = [];
  for (const at of server.attempts) {
    const second = Math.floor((at - lostAt) / 1_000);
    perSecond[second] = (perSecond[second] ?? 0) + 1;
  }
  const open = clients.filter(({ state }) => state.name === 'open').length;
  for (const client of clients) client.close();
  return {
    perSecond: Array.from(perSecond, (attempts) => attempts ?? 0),
    total: server.attempts.length,
    open,
  };
}

/** The largest part of all attempts that one second sees, after the first two. */
const largestShare = ({ perSecond, total }: Storm): number =>
  Math.max(...perSecond.slice(HEADSTART_MS / 1_000)) / total;

describe('a thousand clients that lose their server for 30 s', () => {
  let outcome: Storm;

  beforeAll(async () => {
    outcome = await storm((client) => seeded(client));
  });

  it('spread their attempts', () => {
    expect(largestShare(outcome)).toBeLessThanOrEqual(LARGEST_SHARE);
  });

  it('are all back afterwards', () => {
    expect(outcome.open).toBe(CLIENTS);
  });

  it('spread and come back where the server does not even refuse', async () => {
    const hanging = await storm((client) => seeded(client), 'hang');

    expect(hanging.open).toBe(CLIENTS);
    expect(largestShare(hanging)).toBeLessThanOrEqual(LARGEST_SHARE);
  });

  it('would not spread without jitter', async () => {
    const crowd = await storm((client) => ({ ...seeded(client), next: () => 0.999 }));

    expect(largestShare(crowd)).toBeGreaterThan(LARGEST_SHARE);
  });
});

import { describe, expect, it, vi } from 'vitest';
import type { Position } from '../../lib/core/broker.interface.js';
import { defineChannel } from '../../lib/core/channel-definition.js';
import { Bus, type BusBroker } from '../support/bus-broker.js';
import { Rig, say, settled, type Peer } from './engine-rig.js';

const SIZE = 20;
const CLIENTS = 1_000;

/** A node that the clients of another one come to, and how its broker is asked. */
class Refuge {
  readonly broker: BusBroker;
  reads = 0;
  most = 0;
  #underWay = 0;

  private constructor(
    readonly bus: Bus,
    readonly rig: Rig,
    broker: BusBroker,
  ) {
    this.broker = broker;
  }

  static async start(): Promise<Refuge> {
    const bus = new Bus();
    const broker = bus.node();
    const subscribe = { event: '$subscribe', acked: true, handle: () => undefined };
    const rig = await Rig.start({ broker, channels: { 'news:{topic}': { subscribe } } });
    rig.engine.catalog.add(
      defineChannel('news:{topic}', { history: { size: SIZE, ttlMs: 60_000 } }),
      'a test',
    );
    const refuge = new Refuge(bus, rig, broker);
    refuge.#count('history');
    refuge.#count('position');
    return refuge;
  }

  #count(name: 'history' | 'position'): void {
    const real = this.broker[name].bind(this.broker) as (...args: unknown[]) => Promise<never>;
    vi.spyOn(this.broker, name).mockImplementation(async (...args: unknown[]) => {
      if (name === 'history') this.reads++;
      this.most = Math.max(this.most, ++this.#underWay);
      return real(...args).finally(() => this.#underWay--);
    });
  }

  async publish(channel: string, count: number): Promise<void> {
    const data = Array.from({ length: count }, (_, at) => at);
    await Promise.all(data.map((one) => this.rig.engine.publisher.publish(channel, 'said', one, {})));
  }

  resume(channel: string, since: Position): Peer {
    const peer = this.rig.open();
    say(peer, { event: '$subscribe', id: 1, data: { channel, since } });
    return peer;
  }

  async untilAnswered(peers: readonly Peer[]): Promise<void> {
    const isAnswered = ({ transport }: Peer): boolean => transport.frames.length > 0;
    // Bounded by the time that the test has.
    while (!peers.every(isAnswered)) await settled();
    await settled();
  }
}

function offsetsOf({ transport }: Peer): unknown[] {
  const frames = transport.frames.map((text) => JSON.parse(text) as { offset?: number });
  return frames.flatMap(({ offset }) => offset ?? []);
}

describe('a thousand clients of a dead node', () => {
  it.each([1, 5])(
    'read one history, of which they have seen %i parts, at most twice for each',
    async (parts) => {
      const refuge = await Refuge.start();
      const channel = 'news:a';
      await refuge.publish(channel, SIZE);
      const { epoch } = refuge.bus.historyOf(channel).position;

      const peers = Array.from({ length: CLIENTS }, (_, at) =>
        refuge.resume(channel, { epoch, offset: 3 + (at % parts) }),
      );
      await refuge.untilAnswered(peers);

      expect(refuge.reads).toBeGreaterThanOrEqual(parts);
      expect(refuge.reads).toBeLessThanOrEqual(2 * parts);
      for (const [at, peer] of peers.entries()) {
        const first = 4 + (at % parts);
        expect(offsetsOf(peer)).toEqual(Array.from({ length: SIZE - first + 1 }, (_, next) => first + next));
      }
    },
  );

  it('miss nothing that comes while they are read for', async () => {
    const refuge = await Refuge.start();
    const channel = 'news:a';
    await refuge.publish(channel, 5);
    const { epoch } = refuge.bus.historyOf(channel).position;
    const peers: Peer[] = [];

    for (let round = 0; round < 10; round++) {
      for (let at = 0; at < 20; at++) peers.push(refuge.resume(channel, { epoch, offset: 2 + (at % 3) }));
      await refuge.publish(channel, 1);
    }
    await refuge.untilAnswered(peers);

    for (const [at, peer] of peers.entries()) {
      const first = 3 + ((at % 20) % 3);
      expect(offsetsOf(peer)).toEqual(Array.from({ length: 15 - first + 1 }, (_, next) => first + next));
    }
  });

  it('do not ask a broker for all of their channels at the same time', async () => {
    const refuge = await Refuge.start();
    const channels = Array.from({ length: CLIENTS }, (_, at) => `news:${at}`);
    await Promise.all(channels.map((channel) => refuge.publish(channel, 2)));

    const peers = channels.map((channel) =>
      refuge.resume(channel, { epoch: refuge.bus.historyOf(channel).position.epoch, offset: 1 }),
    );
    await refuge.untilAnswered(peers);

    expect(refuge.most).toBe(256);
    expect(peers.map(offsetsOf)).toEqual(peers.map(() => [2]));
  });
});

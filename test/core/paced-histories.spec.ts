import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Alarms } from '../../lib/core/alarms.js';
import type { Position } from '../../lib/core/broker.interface.js';
import { PacedHistories } from '../../lib/core/paced-histories.js';
import { Deferred } from '../support/deferred.js';
import { settled } from './engine-rig.js';

const RULE = { size: 1, ttlMs: 1_000 };
const PLACES = 256;

/** Of which all channels are answered at once but those of a part that is frozen. */
class HalfFrozen {
  readonly clock = new TestClock();
  readonly asked: string[] = [];
  readonly answered: string[] = [];
  readonly frozen = new Map([
    ['frozen', new Deferred()],
    ['ice', new Deferred()],
  ]);
  readonly #histories = new PacedHistories(
    {
      position: (channel) => this.#position(channel),
      history: () => Promise.reject(new Error('not asked for here')),
    },
    new Alarms(this.clock),
  );

  async #position(channel: string): Promise<Position> {
    this.asked.push(channel);
    await this.frozen.get(channel.split(':')[0] as string)?.promise;
    return { epoch: 'e', offset: 0 };
  }

  ask(name: string, count = 1): void {
    for (let at = 0; at < count; at++) void this.#ask(`${name}:${at}`);
  }

  async #ask(channel: string): Promise<void> {
    await this.#histories.position(channel, RULE);
    this.answered.push(channel);
  }
}

describe('PacedHistories', () => {
  it('gives the places of those that have no answer to the next behind 250 ms', async () => {
    const broker = new HalfFrozen();
    broker.ask('frozen', PLACES + 1);
    broker.ask('healthy', 3);

    await broker.clock.advance(249);
    const before = broker.asked.length;
    await broker.clock.advance(1);
    await settled();

    expect(before).toBe(PLACES);
    expect(broker.answered).toEqual(['healthy:0', 'healthy:1', 'healthy:2']);
  });

  it('hands on the answers that come later, and no place twice', async () => {
    const broker = new HalfFrozen();
    broker.ask('frozen', PLACES);
    await broker.clock.advance(250);
    broker.ask('ice', PLACES);
    broker.ask('healthy');
    broker.frozen.get('frozen')?.resolve();
    await settled();

    expect([broker.answered.length, broker.asked.length]).toEqual([PLACES, 2 * PLACES]);

    broker.frozen.get('ice')?.resolve();
    await settled();
    expect(broker.answered).toHaveLength(2 * PLACES + 1);
    expect(broker.clock.pendingTimers).toBe(0);
  });

  it('asks no more of them at a time than there are places', async () => {
    const broker = new HalfFrozen();
    broker.ask('frozen', 3 * PLACES);

    const asked = [broker.asked.length];
    for (let at = 0; at < 3; at++) {
      await broker.clock.advance(250);
      asked.push(broker.asked.length);
    }

    expect(asked).toEqual([PLACES, 2 * PLACES, 3 * PLACES, 3 * PLACES]);
  });
});

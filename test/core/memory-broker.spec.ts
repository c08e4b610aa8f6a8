import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import type { MemoryBroker } from '../../lib/core/memory-broker.js';
import { brokerContract } from '../contract/broker.contract.js';
import { memoryBroker } from './engine-rig.js';

const RULE = { size: 3, ttlMs: 60_000 };

brokerContract('MemoryBroker', {
  nodes: 1,
  create: () => {
    const clock = new TestClock();
    return { nodes: [memoryBroker({ clock })], pass: (ms) => clock.advance(ms) };
  },
});

function publish(broker: MemoryBroker, ...channels: string[]): void {
  for (const channel of channels) broker.publish({ channel, event: 'said' }, { history: RULE });
}

/** What a subscription costs that is refused: the node is in the channel while the guards run. */
function tryToJoin(broker: MemoryBroker, ...channels: string[]): void {
  for (const channel of channels) {
    broker.subscribe(channel);
    broker.position(channel, RULE);
    broker.unsubscribe(channel);
  }
}

/** Whether a history still is the one that `publish` has begun. Asking is a use of it. */
function isKept(broker: MemoryBroker, channel: string): boolean {
  return broker.position(channel, RULE).offset > 0;
}

describe('the histories of a broker in memory', () => {
  it('are kept for maxHistories channels that nobody is in', () => {
    const broker = memoryBroker({ maxHistories: 2 });

    publish(broker, 'a', 'b');

    expect([broker.size, isKept(broker, 'a'), isKept(broker, 'b')]).toEqual([2, true, true]);
  });

  it('are forgotten from the one on that was used the longest time ago, when there is one more', () => {
    const broker = memoryBroker({ maxHistories: 2 });

    publish(broker, 'a', 'b', 'a', 'c');

    expect(broker.size).toBe(2);
    expect([isKept(broker, 'a'), isKept(broker, 'c'), isKept(broker, 'b')]).toEqual([true, true, false]);
  });

  it('do not count, and are never forgotten, where somebody is in the channel', () => {
    const broker = memoryBroker({ maxHistories: 1 });
    broker.subscribe('a');

    publish(broker, 'a', 'b', 'c');

    expect([broker.size, isKept(broker, 'a'), isKept(broker, 'c')]).toEqual([2, true, true]);
    broker.unsubscribe('a');
    expect([broker.size, isKept(broker, 'a')]).toEqual([1, true]);
  });

  it('are not pushed out by those who try to join under names that nobody has published to', () => {
    const broker = memoryBroker({ maxHistories: 2 });
    publish(broker, 'quiet');

    tryToJoin(broker, 'x1', 'x2', 'x3');
    publish(broker, 'other');
    tryToJoin(broker, 'x4');

    expect([broker.size, isKept(broker, 'quiet'), isKept(broker, 'other')]).toEqual([2, true, true]);
  });

  it('keep the position of a channel that nobody has published to yet', () => {
    const broker = memoryBroker();
    const before = broker.position('a', RULE);

    tryToJoin(broker, 'a', 'b');

    expect(broker.position('a', RULE)).toEqual(before);
  });

  it('keep their position when all of their publications are too old', async () => {
    const clock = new TestClock();
    const broker = memoryBroker({ clock });
    publish(broker, 'a', 'a');
    const before = broker.position('a', RULE);

    await clock.advance(10 * RULE.ttlMs);

    const query = { limit: 10, maxBytes: 1_000 };
    expect(broker.history('a', RULE, query)).toEqual({ position: before, oldest: 3, publications: [] });
  });
});

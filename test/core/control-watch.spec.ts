import { describe, expect, it } from 'vitest';
import type { Broker } from '../../lib/core/broker.interface.js';
import { encodeMessage, MAX_WATCH_MS, parseQuestion, parseWatched } from '../../lib/core/control-messages.js';
import { TestClock } from 'nestjs-channels/testing';
import { NodesBus } from '../support/bus-nodes.js';
import { memoryBroker, Rig } from './engine-rig.js';

describe('the question for figures', () => {
  it.each([0, 1, MAX_WATCH_MS])('travels for %i ms', (forMs) => {
    expect(parseQuestion(encodeMessage({ type: 'watch', forMs }))).toEqual({ type: 'watch', forMs });
  });

  it.each([MAX_WATCH_MS + 1, -1, 0.5, '1', null, undefined])('is not understood for %j ms', (forMs) => {
    const text = JSON.stringify({ v: 1, type: 'watch', forMs });

    expect(() => parseQuestion(text)).toThrow('not understood');
  });

  it('has an answer that says nothing but that it was understood', () => {
    expect(parseWatched(encodeMessage({}))).toEqual({});
    expect(() => parseWatched('{"v":2}')).toThrow('not understood');
  });
});

describe('control', () => {
  it('tells the observers of all other nodes that figures are wanted, and names who has not answered', async () => {
    const bus = new NodesBus();
    const told: [string, number][] = [];
    const start = async () => {
      const nodes = bus.node();
      const observer = { watched: (ms: number) => told.push([nodes.id, ms]) };
      const clock = new TestClock();
      const broker: Broker = Object.assign(memoryBroker({ clock }), { nodes });
      const rig = await Rig.start({ clock, broker, observers: [observer] });
      return { rig, nodes };
    };
    const [one, , three] = [await start(), await start(), await start()];
    three.nodes.isFrozen = true;

    const asking = one.rig.engine.control.watch(5_000);
    await one.rig.clock.advance(1_000);

    expect(await asking).toEqual({ expected: 3, answered: 2, missing: ['node-3'] });
    expect(told).toEqual([['node-2', 5_000]]);
  });
});

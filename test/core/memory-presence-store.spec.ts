import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { MemoryPresenceStore } from '../../lib/core/memory-presence-store.js';
import { presenceStoreContract } from '../contract/presence-store.contract.js';

const GRACE_MS = 10_000;

presenceStoreContract('MemoryPresenceStore', {
  nodes: 1,
  graceMs: GRACE_MS,
  leaseMs: 0,
  create: () => {
    const clock = new TestClock();
    return { nodes: [new MemoryPresenceStore({ clock })], pass: (ms) => clock.advance(ms) };
  },
});

describe('MemoryPresenceStore', () => {
  function start(): { clock: TestClock; store: MemoryPresenceStore; told: string[] } {
    const clock = new TestClock();
    const store = new MemoryPresenceStore({ clock });
    const told: string[] = [];
    store.start({
      node: 'one',
      graceMs: GRACE_MS,
      changed: ({ type }) => told.push(type),
      failed: () => undefined,
    });
    return { clock, store, told };
  }

  function set(store: MemoryPresenceStore, connections: number): void {
    store.set({ channel: 'c', principal: 'ada', connections, isLost: true });
  }

  it('tells a leave neither early nor late', async () => {
    const { clock, store, told } = start();
    set(store, 1);
    set(store, 0);

    await clock.advance(GRACE_MS - 1);
    const before = [...told];
    await clock.advance(1);

    expect([before, told]).toEqual([['join'], ['join', 'leave']]);
  });

  it('begins the grace anew with each loss', async () => {
    const { clock, store, told } = start();
    set(store, 1);
    set(store, 0);
    await clock.advance(GRACE_MS - 1);
    set(store, 1);
    set(store, 0);

    await clock.advance(GRACE_MS - 1);

    expect(told).toEqual(['join']);
  });

  it('keeps nothing of a channel that all have left, and has no timer then', async () => {
    const { clock, store } = start();
    set(store, 1);
    set(store, 0);
    const during = [store.size, clock.pendingTimers];

    await clock.advance(GRACE_MS);

    expect([during, [store.size, clock.pendingTimers]]).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  it('has no timer after the close', () => {
    const { clock, store } = start();
    set(store, 1);
    set(store, 0);

    store.close();

    expect([store.size, clock.pendingTimers]).toEqual([0, 0]);
  });
});

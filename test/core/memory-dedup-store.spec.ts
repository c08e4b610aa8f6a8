import type { Claim, DedupKey } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { MemoryDedupStore } from '../../lib/core/memory-dedup-store.js';
import { dedupStoreContract } from '../contract/dedup-store.contract.js';

// No whole seconds: its sweep must not do what a look at a key has to.
const WINDOW_MS = 300_500;
const LEASE_MS = 30_500;
const ENTRY_BYTES = 512;
const CLIENT_BYTES = 384;

dedupStoreContract('MemoryDedupStore', {
  windowMs: WINDOW_MS,
  leaseMs: LEASE_MS,
  create: () => {
    const clock = new TestClock();
    const store = new MemoryDedupStore({ clock, maxBytes: 1_000_000, maxBytesPerPrincipal: 1_000_000 });
    return { nodes: [store, store], pass: (ms) => clock.advance(ms) };
  },
});

interface Bench {
  readonly clock: TestClock;
  readonly store: MemoryDedupStore;
  readonly evictions: number[];
  /** Claims an id, and stores an answer of so many bytes. */
  answer(id: string, bytes: number, key?: Partial<DedupKey>): void;
  /** What is said of a copy; releases what it claims. */
  look(id: string, key?: Partial<DedupKey>): Claim['type'];
}

function start(maxBytesPerPrincipal: number, maxBytes = 1_000_000): Bench {
  const clock = new TestClock();
  const store = new MemoryDedupStore({ clock, maxBytes, maxBytesPerPrincipal });
  const evictions: number[] = [];
  store.start({ windowMs: WINDOW_MS, leaseMs: LEASE_MS, evicted: (count) => evictions.push(count) });
  const claim = (key: DedupKey): Claim => store.claim(key);
  return {
    clock,
    store,
    evictions,
    answer: (id, bytes, key) => {
      const claimed = claim(keyOf(id, key));
      if (claimed.type !== 'claimed') throw new Error(`${id} is ${claimed.type}`);
      store.resolve(keyOf(id, key), claimed.fence, { type: 'data', data: 'x'.repeat(bytes) });
    },
    look: (id, key) => {
      const claimed = claim(keyOf(id, key));
      if (claimed.type === 'claimed') store.release(keyOf(id, key), claimed.fence);
      return claimed.type;
    },
  };
}

function keyOf(id: string, key: Partial<DedupKey> = {}): DedupKey {
  return { principal: 'ada', clientId: 'c', id, contentHash: '', ...key };
}

describe('a process that stands still, for longer than a claim holds', () => {
  /** A claim that was due for its renewal, and time that has passed without any timer. */
  async function startFrozen(): Promise<Bench & { readonly fence: number }> {
    const bench = start(10_000);
    const claim = bench.store.claim(keyOf('1'));
    if (claim.type !== 'claimed') throw new Error(claim.type);
    await bench.clock.advance(10_000);
    const now = bench.clock.now.bind(bench.clock);
    bench.clock.now = () => now() + 2 * LEASE_MS;
    return { ...bench, fence: claim.fence };
  }

  it.each<[first: string, act: (bench: Bench & { readonly fence: number }) => unknown, expected: unknown]>([
    ['a copy', ({ store }) => store.claim(keyOf('1')), { type: 'running' }],
    ['the renewal', ({ store, fence }) => store.renew(keyOf('1'), fence), true],
    ['the answer', ({ store, fence }) => store.resolve(keyOf('1'), fence, { type: 'data' }), true],
    ['the sweep', ({ clock }) => clock.advance(1_000), undefined],
  ])('keeps its claims, whatever comes first: %s', async (first, act, expected) => {
    const bench = await startFrozen();

    expect(await act(bench)).toEqual(expected);

    const { type } = bench.store.claim(keyOf('1'));
    expect(type).toBe(first === 'the answer' ? 'answered' : 'running');
  });

  it('loses them as ever where nobody renews them afterwards', async () => {
    const { clock, store } = await startFrozen();

    await clock.advance(LEASE_MS);

    expect(store.claim(keyOf('1')).type).toBe('claimed');
  });

  it('keeps no answer for longer than its window', async () => {
    const { clock, store, look, answer } = await startFrozen();
    answer('2', 0);
    const now = clock.now.bind(clock);

    clock.now = () => now() + WINDOW_MS;

    expect([look('2'), store.claim(keyOf('1')).type]).toEqual(['claimed', 'running']);
  });
});

describe('the room of MemoryDedupStore', () => {
  it('is used up to the last byte of a principal', () => {
    const { answer, look, evictions } = start(CLIENT_BYTES + 2 * ENTRY_BYTES + 30);

    answer('1', 10);
    answer('2', 20);

    expect([look('1'), look('2')]).toEqual(['answered', 'answered']);
    expect(evictions).toEqual([]);
  });

  it('is made by dropping the oldest answer where one byte is missing, and that is told', () => {
    const { answer, evictions, store } = start(CLIENT_BYTES + 2 * ENTRY_BYTES + 30);

    answer('1', 10);
    answer('2', 21);

    expect(evictions).toEqual([1]);
    expect(store.claim(keyOf('2')).type).toBe('answered');
    expect(store.bytes).toBe(CLIENT_BYTES + ENTRY_BYTES + 21);
  });

  it('is made for a claim, too', () => {
    const { answer, evictions, store } = start(CLIENT_BYTES + 2 * ENTRY_BYTES);
    answer('1', 0);
    answer('2', 0);

    const claim = store.claim(keyOf('3'));

    expect([claim.type, evictions, store.claim(keyOf('2')).type]).toEqual(['claimed', [1], 'answered']);
  });

  it('is never made by dropping what runs', () => {
    const { answer, evictions, store } = start(CLIENT_BYTES + 2 * ENTRY_BYTES);
    store.claim(keyOf('running'));
    answer('1', 0);
    answer('2', 0);

    expect(store.claim(keyOf('running')).type).toBe('running');
    expect(evictions).toEqual([1]);
  });

  it('is full where only running claims are left, until one of them ends', () => {
    const { store } = start(CLIENT_BYTES + 2 * ENTRY_BYTES);
    const first = store.claim(keyOf('1'));
    store.claim(keyOf('2'));

    const third = store.claim(keyOf('3'));
    if (first.type === 'claimed') store.release(keyOf('1'), first.fence);

    expect([third.type, store.claim(keyOf('3')).type]).toEqual(['full', 'claimed']);
  });

  it('of one principal is none of another, nor of any anonymous client', () => {
    const { answer, look, evictions } = start(CLIENT_BYTES + ENTRY_BYTES);
    const nobody = { principal: '' };

    answer('1', 0);
    answer('1', 0, { principal: 'bob' });
    answer('1', 0, { ...nobody, clientId: 'one' });
    answer('1', 0, { ...nobody, clientId: 'two' });

    expect(evictions).toEqual([]);
    expect(look('1', { ...nobody, clientId: 'one' })).toBe('answered');
  });

  it('of one principal is shared by all its clients', () => {
    const { answer, look, evictions } = start(CLIENT_BYTES + ENTRY_BYTES);

    answer('1', 0, { clientId: 'one' });
    answer('1', 0, { clientId: 'two' });

    expect([evictions, look('1', { clientId: 'two' })]).toEqual([[1], 'answered']);
  });

  it('of everybody is bounded as well: the oldest answer of all goes', () => {
    const { answer, store, evictions } = start(10_000, 2 * (CLIENT_BYTES + ENTRY_BYTES));

    answer('1', 0, { principal: 'ada' });
    answer('1', 0, { principal: 'bob' });
    const before = [...evictions];
    answer('1', 0, { principal: 'cyd' });

    expect([before, evictions]).toEqual([[], [1]]);
    expect(store.claim(keyOf('1', { principal: 'bob' })).type).toBe('answered');
    expect(store.claim(keyOf('1', { principal: 'cyd' })).type).toBe('answered');
  });

  it('is taken by each client, and given back with its last entry', async () => {
    const { answer, clock, store } = start(10_000);

    answer('1', 0, { clientId: 'one' });
    answer('2', 0, { clientId: 'one' });
    answer('1', 0, { clientId: 'two' });
    answer('1', 0, { principal: '', clientId: 'three' });
    const taken = store.bytes;
    await clock.advance(WINDOW_MS + 1_000);

    expect([taken, store.bytes]).toEqual([3 * CLIENT_BYTES + 4 * ENTRY_BYTES, 0]);
  });

  it('is never passed where the last answer of a client goes for its next message', () => {
    const room = CLIENT_BYTES + ENTRY_BYTES + 10;
    const { answer, store, evictions } = start(room);

    for (const id of ['1', '2', '3']) answer(id, 10);

    expect([store.bytes, evictions]).toEqual([room, [1, 1]]);
  });

  it('of everybody may be full, too', () => {
    const { store } = start(10_000, CLIENT_BYTES + ENTRY_BYTES);
    store.claim(keyOf('1', { principal: 'ada' }));

    expect(store.claim(keyOf('1', { principal: 'bob' })).type).toBe('full');
  });

  it('is given back by what is past its window, which nobody counts as lost', async () => {
    const { answer, clock, evictions } = start(CLIENT_BYTES + ENTRY_BYTES);
    answer('1', 0);
    await clock.advance(WINDOW_MS);

    answer('2', 0);

    expect(evictions).toEqual([]);
  });

  it('is empty, without a timer, when everything is past its time', async () => {
    const { answer, clock, store } = start(10_000);
    answer('1', 100);
    store.claim(keyOf('running'));
    const timers = clock.pendingTimers;

    await clock.advance(WINDOW_MS + 1_000);

    expect([timers, store.bytes, clock.pendingTimers]).toEqual([1, 0, 0]);
  });

  it('is empty, without a timer, after the close', () => {
    const { answer, clock, store } = start(10_000);
    answer('1', 100);

    store.close();

    expect([store.bytes, clock.pendingTimers]).toEqual([0, 0]);
  });
});

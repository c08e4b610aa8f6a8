import type { RateKey, RateStore } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';

/** A store under test. */
export interface RateStoreBench {
  /** Of two nodes that share their points. */
  readonly stores: readonly [RateStore, RateStore];
  /** Resolves when so much time has passed for the store, or a little more. */
  pass(ms: number): Promise<void>;
}

export interface RateStoreKind {
  create(): Promise<RateStoreBench> | RateStoreBench;
}

const ADA: RateKey = { name: '/ws say', principal: 'ada' };

/** Slow enough that nothing comes while a test runs, unless it waits. */
const SLOW = { points: 3, perMs: 3_600_000 };
const FAST = { points: 2, perMs: 200 };

/** What every `RateStore` promises (lib/core/rate-store.interface.ts). */
export function rateStoreContract(name: string, { create }: RateStoreKind): void {
  describe(`${name} as a store of points`, () => {
    it('gives its points at once, and says how long it takes until there is one more', async () => {
      const { stores } = await create();
      const taken: number[] = [];
      // One after the other: what each is answered depends on those before.
      for (let at = 0; at < 4; at += 1) taken.push(await stores[0].take(ADA, SLOW));

      expect(taken.slice(0, 3)).toEqual([0, 0, 0]);
      expect(taken[3]).toBeGreaterThan(1_190_000);
      expect(taken[3]).toBeLessThanOrEqual(1_200_000);
    });

    it('counts what all nodes take together', async () => {
      const { stores } = await create();

      const taken = await Promise.all([0, 1, 0, 1].map((at) => (stores[at] as RateStore).take(ADA, SLOW)));

      expect(taken.filter((ms) => ms === 0)).toHaveLength(3);
    });

    it.each([
      ['somebody else', { ...ADA, principal: 'bob' }],
      ['something else', { ...ADA, name: '/ws shout' }],
      ['a name that only looks alike', { name: '/ws', principal: 'say\nada' }],
    ])('keeps the points of %s apart', async (_, other) => {
      const { stores } = await create();
      await Promise.all([1, 2, 3].map(() => stores[0].take(ADA, SLOW)));

      expect(await stores[0].take(other, SLOW)).toBe(0);
      expect(await stores[0].take(ADA, SLOW)).toBeGreaterThan(0);
    });

    it('has a point when it has said, and takes nothing where it refuses', async () => {
      const bench = await create();
      const [store] = bench.stores;
      await Promise.all([1, 2].map(() => store.take(ADA, FAST)));
      const waits = await Promise.all([1, 2, 3].map(() => store.take(ADA, FAST)));

      await bench.pass(Math.max(...waits));

      expect(waits.every((ms) => ms > 0 && ms <= 100)).toBe(true);
      expect(await store.take(ADA, FAST)).toBe(0);
    });

    it('has all points of who was away for long enough, and not one more', async () => {
      const bench = await create();
      const [store] = bench.stores;
      await Promise.all([1, 2].map(() => store.take(ADA, SLOW)));
      await Promise.all([1, 2].map(() => store.take({ ...ADA, principal: 'bob' }, FAST)));

      await bench.pass(FAST.perMs);
      const taken = await Promise.all(
        [1, 2, 3].map(() => store.take({ ...ADA, principal: 'bob' }, { ...FAST })),
      );

      expect(taken.slice(0, 2)).toEqual([0, 0]);
      expect(taken[2]).toBeGreaterThan(0);
    });
  });
}

import type { Identity, Revocation, RevocationStore, RevocationTarget } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SystemRandom } from '../../lib/nest/system-clock.js';

/** Stores under test. */
export interface RevocationBench {
  /** Of two nodes, not yet started; one and the same where the store is that of one process. */
  readonly stores: readonly [RevocationStore, RevocationStore];
  /** A node that starts later. The same store again where a restart forgets. */
  later(): Promise<RevocationStore> | RevocationStore;
  /** Resolves when each store has had the time to find what the others have added. */
  found(fits: () => boolean): Promise<void>;
}

export interface RevocationKind {
  create(): Promise<RevocationBench> | RevocationBench;
}

const ADA: RevocationTarget = { principal: 'ada' };
const SID: RevocationTarget = { claim: { name: 'sid', value: 'a "quoted"\nvalue' } };
const HOUR_MS = 3_600_000;

/** What every `RevocationStore` promises (lib/core/revocation-store.interface.ts). */
export function revocationStoreContract(name: string, { create }: RevocationKind): void {
  const max = 3;

  async function start(): Promise<{
    one: RevocationStore;
    other: RevocationStore;
    bench: RevocationBench;
    clock: TestClock;
    begin: (store: RevocationStore) => Promise<RevocationStore>;
  }> {
    const bench = await create();
    const clock = new TestClock();
    const begin = async (store: RevocationStore): Promise<RevocationStore> => {
      await store.start({
        clock,
        random: new SystemRandom(),
        maxRevocations: max,
        found: () => undefined,
        failed: (where, error) => expect.unreachable(`${where}: ${String(error)}`),
      });
      onTestFinished(async () => store.close());
      return store;
    };
    const [one, other] = bench.stores;
    await begin(one);
    if (other !== one) await begin(other);
    return { one, other, bench, clock, begin };
  }

  function of(target: RevocationTarget, clock: TestClock, ms = HOUR_MS): Revocation {
    const revokedAt = clock.wallNow();
    return { target, revokedAt, until: revokedAt + ms };
  }

  const ada: Identity = { principal: 'ada', user: { sid: 'x' } };
  const session: Identity = { principal: 'bob', user: { sid: 'a "quoted"\nvalue' } };

  describe(`${name} as a store of revocations`, () => {
    it('covers nobody at first', async () => {
      const { one } = await start();

      expect([one.covers(ada), one.covers(session)]).toEqual([false, false]);
    });

    it('knows at once what was added here, and then on every node', async () => {
      const { one, other, bench, clock } = await start();

      const added = [one.add(of(ADA, clock)), one.add(of(SID, clock))];
      const atOnce = [one.covers(ada), one.covers(session)];
      await Promise.all(added);
      await bench.found(() => other.covers(ada) && other.covers(session));

      expect(atOnce).toEqual([true, true]);
      expect(other.covers({ principal: 'eve', user: {} })).toBe(false);
    });

    it('is known to a node that starts later', async () => {
      const { one, bench, clock, begin } = await start();
      await one.add(of(ADA, clock));

      const late = await bench.later();
      if (late !== one) await begin(late);

      expect(late.covers(ada)).toBe(true);
    });

    it('ends when its time is over', async () => {
      const { one, clock } = await start();
      await one.add(of(ADA, clock));

      clock.stepWall(HOUR_MS - 1);
      const before = one.covers(ada);
      clock.stepWall(1);

      expect([before, one.covers(ada)]).toEqual([true, false]);
    });

    it('does not concern what was issued later', async () => {
      const { one, clock } = await start();
      await one.add(of(ADA, clock));
      const at = clock.wallNow();

      expect([one.covers({ ...ada, issuedAt: at }), one.covers({ ...ada, issuedAt: at + 1 })]).toEqual([
        true,
        false,
      ]);
    });

    it('keeps the later times of two for one target', async () => {
      const { one, other, bench, clock } = await start();
      const early = clock.wallNow();
      await one.add(of(ADA, clock, HOUR_MS));
      clock.stepWall(1_000);

      await other.add(of(ADA, clock, 1_000));
      const issued = { ...ada, issuedAt: early + 500 };
      await bench.found(() => one.covers(issued));
      clock.stepWall(HOUR_MS - 2_000);
      await bench.found(() => other.covers(ada));

      expect([one.covers(ada), other.covers(ada)]).toEqual([true, true]);
    });

    it('has room for so many, forgets none of them for one more, and says so', async () => {
      const { one, other, bench, clock } = await start();
      for (const principal of ['a', 'b', 'c']) {
        await one.add(of({ principal }, clock));
      }
      await bench.found(() => other.covers({ principal: 'c', user: {} }));

      const add = async (store: RevocationStore): Promise<void> => store.add(of(ADA, clock));
      await expect(add(one)).rejects.toMatchObject({ code: 'limit_exceeded' });
      await expect(add(other)).rejects.toMatchObject({ code: 'limit_exceeded' });
      await one.add(of({ principal: 'a' }, clock));

      expect(['a', 'b', 'c', 'ada'].map((principal) => one.covers({ principal, user: {} }))).toEqual([
        true,
        true,
        true,
        false,
      ]);
    });

    it('learns what another node says, without a word to the store', async () => {
      const { one, clock } = await start();

      one.learn(of(ADA, clock));

      expect(one.covers(ada)).toBe(true);
    });

    it('may be closed twice', async () => {
      const { one } = await start();

      await one.close();
      await expect(Promise.resolve(one.close())).resolves.toBe(undefined);
    });
  });
}

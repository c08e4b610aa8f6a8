import type { Claim, DedupKey, DedupRules, DedupStore, StoredAnswer } from 'nestjs-channels';
import { describe, expect, it, onTestFinished } from 'vitest';

/** A store under test, and its time. */
export interface DedupStoreBench {
  /** Nodes that share their claims, not yet started: the same one twice where it lives in one process. */
  readonly nodes: readonly [DedupStore, DedupStore];
  /** Lets so much time pass for it. */
  pass(ms: number): Promise<void>;
}

/** How the contract gets stores of one kind. */
export interface DedupStoreKind {
  /** Short where time is real. */
  readonly windowMs: number;
  readonly leaseMs: number;
  create(): Promise<DedupStoreBench> | DedupStoreBench;
}

const KEY: DedupKey = { principal: 'ada', clientId: 'c'.repeat(22), id: '1', contentHash: 'hash' };

const OTHERS: readonly (readonly [what: string, key: DedupKey])[] = [
  ['principal', { ...KEY, principal: 'bob' }],
  ['principal, which is none', { ...KEY, principal: '' }],
  ['client', { ...KEY, clientId: 'd'.repeat(22) }],
  ['id', { ...KEY, id: '2' }],
  ['id that looks like two', { ...KEY, id: `1 ${KEY.clientId} 1` }],
];

const ANSWERS: readonly (readonly [what: string, answer: StoredAnswer])[] = [
  ['data', { type: 'data', data: '{"a":[1,null]}' }],
  ['no data', { type: 'data', data: undefined }],
  ['an empty text', { type: 'data', data: '""' }],
  [
    'line breaks, NUL and an astral character',
    { type: 'data', data: JSON.stringify('\n\r\0\u{1f600}\u2028') },
  ],
  ['64 KiB', { type: 'data', data: JSON.stringify('x'.repeat(65_534)) }],
  ['an error', { type: 'error', error: '{"code":"bad_request","message":"no","retryable":false}' }],
];

const DONE: StoredAnswer = { type: 'data', data: '"done"' };

/** What every `DedupStore` promises (lib/core/dedup-store.interface.ts). */
export function dedupStoreContract(name: string, { windowMs, leaseMs, create }: DedupStoreKind): void {
  interface Bench extends DedupStoreBench {
    readonly store: DedupStore;
    readonly other: DedupStore;
    readonly evictions: number[];
  }

  async function start(): Promise<Bench> {
    const bench = await create();
    const [store, other] = bench.nodes;
    const evictions: number[] = [];
    const rules: DedupRules = { windowMs, leaseMs, evicted: (count) => evictions.push(count) };
    for (const node of new Set(bench.nodes)) {
      await node.start(rules);
      onTestFinished(async () => node.close());
    }
    return { ...bench, store, other, evictions };
  }

  async function claimed(store: DedupStore, key = KEY): Promise<number> {
    const claim = await store.claim(key);
    if (claim.type !== 'claimed') throw new Error(`expected a claim, got ${claim.type}`);
    return claim.fence;
  }

  describe(`${name} as a dedup store`, () => {
    it('lets the first copy run, and no other while it does', async () => {
      const { store, other } = await start();

      await claimed(store);

      expect([await store.claim(KEY), await other.claim(KEY)]).toEqual([
        { type: 'running' },
        { type: 'running' },
      ]);
    });

    it('lets one of many run that ask at the same time', async () => {
      const { store, other } = await start();

      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, at) => (at % 2 ? store : other).claim(KEY)),
      );

      expect(claims.filter(({ type }) => type === 'claimed')).toHaveLength(1);
    });

    it.each(ANSWERS)('repeats the answer to every later copy: %s', async (_what, answer) => {
      const { store, other } = await start();
      const fence = await claimed(store);

      expect(await store.resolve(KEY, fence, answer)).toBe(true);

      expect([await store.claim(KEY), await other.claim(KEY)]).toEqual([
        { type: 'answered', answer },
        { type: 'answered', answer },
      ]);
    });

    it.each(OTHERS)('keeps apart what has another %s', async (_what, key) => {
      const { store } = await start();
      const fence = await claimed(store);
      await store.resolve(KEY, fence, DONE);

      expect(await store.claim(key)).toMatchObject({ type: 'claimed' });
    });

    it.each(['running', 'answered'])(
      'calls other content a conflict while the first is %s',
      async (state) => {
        const { store, other } = await start();
        const fence = await claimed(store);
        if (state === 'answered') await store.resolve(KEY, fence, DONE);

        expect(await other.claim({ ...KEY, contentHash: 'another' })).toEqual({ type: 'conflict' });
      },
    );

    it('lets the next copy run, of any content, when the claim was released', async () => {
      const { store, other } = await start();
      const fence = await claimed(store);

      await store.release(KEY, fence);

      expect(await claimed(other, { ...KEY, contentHash: 'another' })).toBeGreaterThan(fence);
    });

    it('keeps an answer for the window, and not longer', async () => {
      const { store, pass } = await start();
      await store.resolve(KEY, await claimed(store), DONE);

      await pass(windowMs - 1);
      const within = await store.claim(KEY);
      await pass(1);

      expect([within.type, (await store.claim(KEY)).type]).toEqual(['answered', 'claimed']);
    });

    it('lets a claim lapse that is not renewed', async () => {
      const { store, pass } = await start();
      await claimed(store);

      await pass(leaseMs - 1);
      const within = await store.claim(KEY);
      await pass(1);

      expect([within.type, (await store.claim(KEY)).type]).toEqual(['running', 'claimed']);
    });

    it('keeps a claim alive from renewal to renewal, longer than the window', async () => {
      const { store, pass } = await start();
      const fence = await claimed(store);

      for (let passed = 0; passed <= windowMs; passed += leaseMs - 1) {
        await pass(leaseMs - 1);
        expect(await store.renew(KEY, fence)).toBe(true);
      }

      expect(await store.claim(KEY)).toEqual({ type: 'running' });
      expect(await store.resolve(KEY, fence, DONE)).toBe(true);
    });

    it('says what has become of a claim that has lapsed and that nobody has followed', async () => {
      const { store, other, pass } = await start();
      const fence = await claimed(store);
      await pass(leaseMs);

      const isRenewed = await store.renew(KEY, fence);
      const isStored = await store.resolve(KEY, fence, DONE);

      expect(isStored).toBe(isRenewed);
      expect((await other.claim(KEY)).type).toBe(isStored ? 'answered' : 'claimed');
    });

    it('takes nothing from a claim that another one has followed', async () => {
      const { store, other, pass } = await start();
      const lost = await claimed(store);
      await pass(leaseMs);
      const fence = await claimed(other);

      const [renewed, resolved] = [await store.renew(KEY, lost), await store.resolve(KEY, lost, DONE)];
      await store.release(KEY, lost);

      expect([renewed, resolved]).toEqual([false, false]);
      expect(await store.claim(KEY)).toEqual({ type: 'running' });
      expect(await other.renew(KEY, fence)).toBe(true);
    });

    it('stores an answer once', async () => {
      const { store } = await start();
      const fence = await claimed(store);
      await store.resolve(KEY, fence, DONE);

      const again = await store.resolve(KEY, fence, { type: 'data', data: '"again"' });
      await store.release(KEY, fence);

      expect(again).toBe(false);
      expect(await store.claim(KEY)).toEqual({ type: 'answered', answer: DONE });
    });

    it.each<[how: string, end: (store: DedupStore, fence: number) => unknown, next: Claim['type']]>([
      ['is answered', (store, fence) => store.resolve(KEY, fence, DONE), 'answered'],
      ['is released', (store, fence) => store.release(KEY, fence), 'claimed'],
    ])('wakes those who wait when the claim %s', async (_how, end, next) => {
      const { store, other } = await start();
      const fence = await claimed(store);
      const { signal } = new AbortController();

      const waits = [store.wait(KEY, signal), other.wait(KEY, signal)];
      await end(store, fence);
      await Promise.all(waits);

      expect((await other.claim(KEY)).type).toBe(next);
    });

    it('wakes those who wait when the claim lapses', async () => {
      const { store, other, pass } = await start();
      await claimed(store);

      const wait = other.wait(KEY, new AbortController().signal);
      await pass(leaseMs + 2_000);
      await wait;

      expect((await other.claim(KEY)).type).toBe('claimed');
    });

    it('wakes who does not want to wait any longer, and nobody else', async () => {
      const { store, other } = await start();
      await claimed(store);
      const impatient = new AbortController();
      let isWoken = false;
      const patient = other.wait(KEY, new AbortController().signal).then(() => (isWoken = true));

      const wait = store.wait(KEY, impatient.signal);
      impatient.abort();
      await wait;

      expect(isWoken).toBe(false);
      await store.close();
      await other.close();
      await patient;
    });

    it.each([
      ['nothing runs', async () => undefined],
      ['there is an answer', async (store: DedupStore) => store.resolve(KEY, await claimed(store), DONE)],
    ])('does not let anybody wait where %s', async (_what, prepare) => {
      const { store } = await start();
      await prepare(store);

      await expect(store.wait(KEY, new AbortController().signal)).resolves.toBeUndefined();
    });

    it('does not let anybody wait who has given up already', async () => {
      const { store } = await start();
      await claimed(store);

      await expect(store.wait(KEY, AbortSignal.abort())).resolves.toBeUndefined();
    });

    it('may be closed twice', async () => {
      const { store } = await start();
      await claimed(store);

      await store.close();

      await expect(Promise.resolve(store.close())).resolves.toBeUndefined();
    });
  });
}

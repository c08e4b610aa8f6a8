import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DedupKey, DedupStore, StoredAnswer } from 'nestjs-channels';
import { RULES } from './dedup-node.js';

const IDS = 3;
const STEPS = 60;
const DONE: StoredAnswer = { type: 'data', data: '"done"' };
const LATE: StoredAnswer = { type: 'data', data: '"late"' };

/** What happens to a message id at a node; `delete` and `lapse` happen to all ids. */
export type Act = 'claim' | 'renew' | 'resolve' | 'release' | 'delete' | 'lapse';

/** What happens, at which node, to which message id. */
export const HISTORIES = fc.array(
  fc.tuple(
    fc.constantFrom<Act>('claim', 'claim', 'renew', 'resolve', 'release', 'delete', 'lapse'),
    fc.nat({ max: 1 }),
    fc.nat({ max: IDS - 1 }),
  ),
  { minLength: STEPS, maxLength: STEPS, size: 'max' },
);

/** A message id as somebody sees it who sees everything. */
interface Seen {
  readonly key: DedupKey;
  /** Of all claims that were given, the newest last. */
  readonly fences: number[];
  state: 'free' | 'running' | 'answered';
}

const EXPECTED = { free: 'claimed', running: 'running', answered: 'answered' } as const;

/** Two nodes on one Redis, beside what they should say; throws where they do not. */
export class DedupWorld {
  readonly #ids = Array.from({ length: IDS }, (_, id): Seen => ({
    key: { principal: 'ada', clientId: 'c'.repeat(22), id: String(id), contentHash: '' },
    fences: [],
    state: 'free',
  }));

  /** @param step - moves the clock of Redis, which stands still otherwise */
  constructor(
    private readonly stores: readonly DedupStore[],
    private readonly step: (ms: number) => void,
  ) {}

  /** `delete` has been done by the caller. */
  async take(act: Act, node: number, id: number): Promise<void> {
    const [store, seen] = [this.stores[node], this.#ids[id]];
    assert(store && seen);
    this.step(1);
    switch (act) {
      case 'claim':
        await this.#claim(store, seen);
        break;
      case 'renew':
        assert.equal(await store.renew(seen.key, newest(seen)), seen.state === 'running');
        break;
      case 'resolve':
        await this.#resolve(store, seen);
        break;
      case 'release':
        await store.release(seen.key, newest(seen));
        if (seen.state === 'running') seen.state = 'free';
        break;
      case 'lapse':
        this.step(RULES.windowMs);
        this.#forget();
        break;
      case 'delete':
        this.#forget();
        break;
    }
  }

  /** Nothing sticks: what is free can be claimed, what runs lapses, and what is answered stays so. */
  async end(): Promise<void> {
    const [store, other] = this.stores;
    assert(store && other);
    this.step(RULES.leaseMs);
    for (const seen of this.#ids) {
      if (seen.state === 'running') seen.state = 'free';
      if (seen.state === 'free') {
        await this.#claim(store, seen);
        await this.#resolve(store, seen);
      }
      assert.deepEqual(await other.claim(seen.key), { type: 'answered', answer: DONE });
      await other.wait(seen.key, new AbortController().signal);
    }
  }

  async #claim(store: DedupStore, seen: Seen): Promise<void> {
    const claim = await store.claim(seen.key);
    assert.equal(claim.type, EXPECTED[seen.state]);
    if (claim.type !== 'claimed') return;
    assert(!seen.fences.includes(claim.fence));
    seen.fences.push(claim.fence);
    seen.state = 'running';
  }

  /** All that ever had a claim come with an answer, the newest last. */
  async #resolve(store: DedupStore, seen: Seen): Promise<void> {
    for (const fence of seen.fences.slice(0, -1)) {
      assert.equal(await store.resolve(seen.key, fence, LATE), false);
    }
    assert.equal(await store.resolve(seen.key, newest(seen), DONE), seen.state !== 'free');
    if (seen.state === 'running') seen.state = 'answered';
  }

  #forget(): void {
    for (const seen of this.#ids) seen.state = 'free';
  }
}

function newest({ fences }: Seen): number {
  return fences.at(-1) ?? 0;
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DedupKey, DedupStore, StoredAnswer } from 'nestjs-channels';
import { RULES } from './dedup-node.js';

const IDS = 3;
const STEPS = 200;
const DONE: StoredAnswer = { type: 'data', data: '"done"' };
const LATE: StoredAnswer = { type: 'data', data: '"late"' };

/** What happens to a message id at a node; `lapse` happens to all ids. */
export type Act = 'claim' | 'renew' | 'resolve' | 'release' | 'delete' | 'lapse';

/** Half of them delete. */
const ACTS: readonly Act[] = [
  ...Array.from({ length: 7 }, () => 'delete' as const),
  ...(['claim', 'claim', 'renew', 'resolve', 'resolve', 'release', 'lapse'] as const),
];

/** What happens, at which node, to which message id, or to the next one that has a key. */
export const HISTORIES = fc.array(
  fc.tuple(fc.constantFrom<Act>(...ACTS), fc.nat({ max: 1 }), fc.nat({ max: IDS - 1 })),
  { minLength: STEPS, maxLength: STEPS, size: 'max' },
);

/** A message id as somebody sees it who sees everything. */
interface Seen {
  readonly key: DedupKey;
  /** Of its key in Redis. */
  readonly name: string;
  /** Of all claims that were given, the newest last. */
  readonly fences: number[];
  /** `free` is what was released, `gone` what Redis knows nothing of. */
  state: 'free' | 'gone' | 'running' | 'answered';
  /** The fence whose claim runs or was answered. */
  holder: number;
  answer: StoredAnswer;
}

const EXPECTED = { free: 'claimed', gone: 'claimed', running: 'running', answered: 'answered' } as const;

/** What a {@link DedupWorld} does beside its nodes. */
export interface DedupFate {
  /** Moves the clock of Redis, which stands still otherwise. */
  step(ms: number): void;
  /** @returns how many keys of this name there were */
  delete(name: string): Promise<number>;
  /** The names of all keys. */
  names(): Promise<readonly string[]>;
}

/** Two nodes on one empty Redis, beside what they should say; throws where they do not. */
export class DedupWorld {
  /** Keys that were deleted. */
  deleted = 0;
  readonly #ids: Seen[] = [];

  constructor(
    private readonly stores: readonly DedupStore[],
    private readonly fate: DedupFate,
  ) {}

  /** Claims each id, to learn the name of its key. */
  async begin(): Promise<void> {
    const [store] = this.stores;
    assert(store);
    const known = new Set<string>();
    for (let id = 0; id < IDS; id++) {
      const key = { principal: 'ada', clientId: 'c'.repeat(22), id: String(id), contentHash: 'hash' };
      const claim = await store.claim(key);
      const name = (await this.fate.names()).find((text) => !known.has(text));
      assert(claim.type === 'claimed' && name);
      known.add(name);
      const { fence } = claim;
      this.#ids.push({ key, name, fences: [fence], state: 'running', holder: fence, answer: DONE });
    }
  }

  async take(act: Act, node: number, id: number): Promise<void> {
    const [store, seen] = [this.stores[node], this.#ids[id]];
    assert(store && seen);
    this.fate.step(1);
    switch (act) {
      case 'claim':
        await this.#claim(store, seen);
        break;
      case 'renew':
        await this.#renew(store, seen);
        break;
      case 'resolve':
        await this.#resolve(store, seen);
        break;
      case 'release':
        await store.release(seen.key, newest(seen));
        if (seen.state === 'running' && seen.holder === newest(seen)) seen.state = 'free';
        break;
      case 'lapse':
        this.fate.step(RULES.windowMs);
        for (const each of this.#ids) each.state = 'gone';
        break;
      case 'delete':
        await this.#delete(store, id);
        break;
    }
  }

  /** Nothing sticks: what is free can be claimed, what runs lapses, and what is answered stays so. */
  async end(): Promise<void> {
    const [store, other] = this.stores;
    assert(store && other);
    this.fate.step(RULES.leaseMs);
    for (const seen of this.#ids) {
      if (seen.state !== 'answered') {
        seen.state = 'gone';
        await this.#claim(store, seen);
        await this.#resolve(store, seen);
      }
      assert.deepEqual(await other.claim(seen.key), { type: 'answered', answer: seen.answer });
      await other.wait(seen.key, new AbortController().signal);
    }
  }

  async #claim(store: DedupStore, seen: Seen): Promise<void> {
    const claim = await store.claim(seen.key);
    assert.equal(claim.type, EXPECTED[seen.state]);
    if (claim.type !== 'claimed') return;
    assert(!seen.fences.includes(claim.fence));
    seen.fences.push(claim.fence);
    seen.holder = claim.fence;
    seen.state = 'running';
  }

  /** Whose key is gone takes it again. */
  async #renew(store: DedupStore, seen: Seen): Promise<void> {
    const fence = newest(seen);
    const isHeld = seen.state === 'gone' || (seen.state === 'running' && seen.holder === fence);
    assert.equal(await store.renew(seen.key, fence), isHeld);
    if (isHeld) Object.assign(seen, { state: 'running', holder: fence });
  }

  /** Those that had the last claims come with an answer, the newest last: at most one of them stores. */
  async #resolve(store: DedupStore, seen: Seen): Promise<void> {
    for (const fence of seen.fences.slice(-3)) {
      const answer = fence === newest(seen) ? DONE : LATE;
      const mayStore = seen.state === 'gone' || (seen.state === 'running' && seen.holder === fence);
      const isAgain = seen.state === 'answered' && seen.holder === fence && seen.answer === answer;
      assert.equal(await store.resolve(seen.key, fence, answer), mayStore || isAgain);
      if (mayStore) Object.assign(seen, { state: 'answered', holder: fence, answer });
    }
  }

  async #delete(store: DedupStore, id: number): Promise<void> {
    const from = [...this.#ids.slice(id), ...this.#ids.slice(0, id)];
    const seen = from.find(({ state }) => state !== 'gone') ?? from[0];
    assert(seen);
    if (seen.state === 'gone') await this.#claim(store, seen);
    assert.equal(await this.fate.delete(seen.name), 1);
    this.deleted += 1;
    seen.state = 'gone';
  }
}

function newest({ fences }: Seen): number {
  return fences.at(-1) ?? 0;
}

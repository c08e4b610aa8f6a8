import type {
  Claim,
  DedupKey,
  DedupRules,
  DedupStore,
  StoredAnswer,
} from '../../lib/core/dedup-store.interface.js';
import { MemoryDedupStore } from '../../lib/core/memory-dedup-store.js';
import type { Facts } from './facts.js';
import { OPTIONS } from './rules.js';
import { OwnClock } from './time.js';

/** How long a call of a store in another process takes. */
const REMOTE_MS = 2;

/** The store of answers of all nodes. It outlives them, until it is told to forget. */
export class SharedStore {
  memory!: MemoryDedupStore;
  #clock!: OwnClock;
  #rules: DedupRules | undefined;

  constructor(
    private readonly facts: Facts,
    private readonly maxBytes: number,
    readonly isRemote: boolean,
  ) {
    this.#begin();
  }

  node(clock: OwnClock): DedupStore {
    return new NodeStore(this, clock);
  }

  start(rules: DedupRules): void {
    this.#rules = { ...rules, evicted: (count) => (this.facts.runs.evicted += count) };
    this.memory.start(this.#rules);
  }

  /** A restart of what holds it. */
  forget(): void {
    this.memory.close();
    this.#clock.die();
    this.facts.runs.storeLife++;
    this.#begin();
    if (this.#rules) this.memory.start(this.#rules);
  }

  checkRoom(): void {
    const { bytes } = this.memory;
    this.facts.check('I8', bytes <= this.maxBytes, `the store holds ${bytes} bytes`);
  }

  /** Its window is over. */
  checkEmpty(): void {
    this.facts.check('I9', this.memory.bytes === 0, `the store still holds ${this.memory.bytes} bytes`);
    this.facts.check('I9', this.#clock.pendingTimers === 0, 'the store leaves a timer behind');
  }

  close(): void {
    this.memory.close();
    this.checkEmpty();
  }

  #begin(): void {
    this.#clock = new OwnClock(this.facts.time);
    const maxBytesPerPrincipal = Math.min(this.maxBytes, OPTIONS.maxDedupBytesPerPrincipal);
    this.memory = new MemoryDedupStore({ clock: this.#clock, maxBytes: this.maxBytes, maxBytesPerPrincipal });
  }
}

/** The store as one node sees it: at once in the same process, or behind a wire. */
class NodeStore implements DedupStore {
  constructor(
    private readonly shared: SharedStore,
    private readonly clock: OwnClock,
  ) {}

  start(rules: DedupRules): void {
    this.shared.start(rules);
  }

  claim(key: DedupKey): Promise<Claim> | Claim {
    return this.#ask(() => this.shared.memory.claim(key));
  }

  renew(key: DedupKey, fence: number): Promise<boolean> | boolean {
    return this.#ask(() => this.shared.memory.renew(key, fence));
  }

  resolve(key: DedupKey, fence: number, answer: StoredAnswer): Promise<boolean> | boolean {
    return this.#ask(() => this.shared.memory.resolve(key, fence, answer));
  }

  release(key: DedupKey, fence: number): Promise<void> | void {
    return this.#ask(() => this.shared.memory.release(key, fence));
  }

  wait(key: DedupKey, signal: AbortSignal): Promise<void> {
    return this.shared.memory.wait(key, signal);
  }

  close(): void {
    // It belongs to the others as well.
  }

  #ask<T>(work: () => T): Promise<T> | T {
    if (!this.shared.isRemote) return work();
    return new Promise((resolve) => this.clock.setTimeout(() => resolve(work()), REMOTE_MS));
  }
}

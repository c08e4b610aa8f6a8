import type { Clock, Timer } from './clock.interface.js';
import type { Claim, DedupKey, DedupRules, DedupStore, StoredAnswer } from './dedup-store.interface.js';
import { OldestFirst, type Place } from './oldest-first.js';
import type { Sizes } from './tables.js';

/** What a claim or an answer takes beside the text of the answer: key, hash and records, rounded up. */
const DEDUP_ENTRY_BYTES = 512;

/** How often it looks for what is due. What is asked for is looked at when it is asked for. */
const SWEEP_INTERVAL_MS = 1_000;

export interface MemoryDedupStoreOptions {
  readonly clock: Clock;
  /** Room for everybody. */
  readonly maxBytes: number;
  /** Room for the claims and answers of one principal, or of one client that is anonymous. */
  readonly maxBytesPerPrincipal: number;
}

/** One message id. */
interface Entry {
  readonly owner: Owner;
  readonly key: string;
  readonly contentHash: string;
  readonly fence: number;
  /** End of the claim while it runs, by the time of leases; of the window afterwards. */
  expiresAt: number;
  bytes: number;
  answer?: StoredAnswer;
  /** Among all answers, and among those of its owner. */
  places?: readonly [Place, Place];
  waiting?: Set<() => void>;
}

/** Who shares one bound. */
interface Owner {
  readonly name: string;
  readonly entries: Map<string, Entry>;
  readonly answered: OldestFirst<Entry>;
  bytes: number;
}

/**
 * The dedup store of a single process. Every call is answered at once. Past its bounds the oldest
 * answers go; a claim that runs stays.
 */
export class MemoryDedupStore implements DedupStore {
  #rules: DedupRules = { windowMs: Infinity, leaseMs: Infinity, evicted: () => undefined };
  readonly #owners = new Map<string, Owner>();
  // All of a kind are kept equally long, so the order in which they came is the order in which they are due.
  /** By their fences, of which each is given once. */
  readonly #running = new Map<number, Entry>();
  readonly #answered = new OldestFirst<Entry>();
  #bytes = 0;
  #fence = 0;
  #sweeper?: Timer;
  #seenAt = 0;
  #stoodStillMs = 0;

  constructor(private readonly options: MemoryDedupStoreOptions) {}

  sizes(): Sizes {
    return { owners: this.#owners.size, running: this.#running.size, answered: this.#answered.size };
  }

  /** What it holds, in bytes as its bounds count them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What an owner has room for who holds nothing else. */
  get maxAnswerBytes(): number {
    return Math.min(this.options.maxBytes, this.options.maxBytesPerPrincipal) - DEDUP_ENTRY_BYTES;
  }

  start(rules: DedupRules): void {
    this.#rules = rules;
  }

  claim({ principal, clientId, id, contentHash }: DedupKey): Claim {
    const name = ownerName(principal, clientId);
    const key = entryKey(clientId, id);
    const entry = this.#find(name, key);
    if (!entry) return this.#claim(name, key, contentHash);
    if (entry.contentHash !== contentHash) return { type: 'conflict' };
    return entry.answer ? { type: 'answered', answer: entry.answer } : { type: 'running' };
  }

  renew(_key: DedupKey, fence: number): boolean {
    const entry = this.#held(fence);
    if (!entry) return false;
    entry.expiresAt = this.#leaseTime() + this.#rules.leaseMs;
    // Added again it goes to the end.
    this.#running.delete(fence);
    this.#running.set(fence, entry);
    return true;
  }

  resolve(_key: DedupKey, fence: number, answer: StoredAnswer): boolean {
    const entry = this.#held(fence);
    if (!entry) return false;
    const text = answer.type === 'data' ? answer.data : answer.error;
    entry.answer = answer;
    entry.expiresAt = this.options.clock.now() + this.#rules.windowMs;
    this.#running.delete(fence);
    entry.places = [this.#answered.add(entry), entry.owner.answered.add(entry)];
    this.#grow(entry, text === undefined ? 0 : Buffer.byteLength(text));
    wake(entry);
    this.#makeRoom(entry.owner, 0);
    return true;
  }

  release(_key: DedupKey, fence: number): void {
    const entry = this.#held(fence);
    if (entry) this.#drop(entry);
  }

  wait({ principal, clientId, id }: DedupKey, signal: AbortSignal): Promise<void> {
    const entry = this.#find(ownerName(principal, clientId), entryKey(clientId, id));
    if (!entry || entry.answer || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = (entry.waiting ??= new Set());
      const end = (): void => {
        waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      waiting.add(end);
      signal.addEventListener('abort', end);
    });
  }

  close(): void {
    for (const entry of this.#running.values()) wake(entry);
    this.#owners.clear();
    this.#running.clear();
    this.#answered.clear();
    this.#bytes = 0;
    this.#rest();
  }

  /** The entry of a key, unless its time is over. */
  #find(owner: string, key: string): Entry | undefined {
    return this.#alive(this.#owners.get(owner)?.entries.get(key));
  }

  /** The claim that holds under a fence. */
  #held(fence: number): Entry | undefined {
    return this.#alive(this.#running.get(fence));
  }

  #alive(entry: Entry | undefined): Entry | undefined {
    if (!entry) return undefined;
    const now = entry.answer ? this.options.clock.now() : this.#leaseTime();
    if (entry.expiresAt > now) return entry;
    this.#drop(entry);
    return undefined;
  }

  /**
   * The time by which claims lapse. It stands still while the process does, stopped or with a blocked loop:
   * nobody can renew then, and those who run go on afterwards. A sweep that is overdue tells.
   */
  #leaseTime(): number {
    const now = this.options.clock.now();
    this.#stoodStillMs += Math.max(0, now - this.#seenAt - SWEEP_INTERVAL_MS);
    this.#seenAt = now;
    return now - this.#stoodStillMs;
  }

  #claim(name: string, key: string, contentHash: string): Claim {
    const owner = this.#ownerOf(name);
    if (!this.#makeRoom(owner, DEDUP_ENTRY_BYTES)) {
      this.#forget(owner);
      return { type: 'full' };
    }
    const fence = ++this.#fence;
    const expiresAt = this.#leaseTime() + this.#rules.leaseMs;
    const entry: Entry = { owner, key, contentHash, fence, expiresAt, bytes: 0 };
    this.#owners.set(name, owner);
    owner.entries.set(key, entry);
    this.#running.set(fence, entry);
    this.#grow(entry, DEDUP_ENTRY_BYTES);
    this.#sweeper ??= this.options.clock.setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    return { type: 'claimed', fence };
  }

  #ownerOf(name: string): Owner {
    const known = this.#owners.get(name);
    return known ?? { name, entries: new Map<string, Entry>(), answered: new OldestFirst(), bytes: 0 };
  }

  /** Drops the oldest answers until so many more bytes fit; `false` where those that run leave no room. */
  #makeRoom(owner: Owner, bytes: number): boolean {
    const { maxBytes, maxBytesPerPrincipal } = this.options;
    const mine = this.#evict(owner.answered, () => owner.bytes + bytes > maxBytesPerPrincipal);
    const all = this.#evict(this.#answered, () => this.#bytes + bytes > maxBytes);
    if (mine + all > 0) this.#rules.evicted(mine + all);
    return owner.bytes + bytes <= maxBytesPerPrincipal && this.#bytes + bytes <= maxBytes;
  }

  #evict(answered: OldestFirst<Entry>, isOver: () => boolean): number {
    let count = 0;
    for (let entry = answered.oldest; entry && isOver(); entry = answered.oldest) {
      // What is past its window is not missed by anybody.
      if (entry.expiresAt > this.options.clock.now()) count++;
      this.#drop(entry);
    }
    return count;
  }

  #grow(entry: Entry, bytes: number): void {
    entry.bytes += bytes;
    entry.owner.bytes += bytes;
    this.#bytes += bytes;
  }

  #drop(entry: Entry): void {
    const { owner } = entry;
    owner.entries.delete(entry.key);
    this.#running.delete(entry.fence);
    for (const place of entry.places ?? []) place.leave();
    this.#grow(entry, -entry.bytes);
    this.#forget(owner);
    wake(entry);
  }

  #forget(owner: Owner): void {
    if (owner.entries.size === 0) this.#owners.delete(owner.name);
  }

  #sweep(): void {
    const leaseTime = this.#leaseTime();
    for (const entry of this.#running.values()) {
      if (entry.expiresAt > leaseTime) break;
      this.#drop(entry);
    }
    const now = this.options.clock.now();
    for (let entry = this.#answered.oldest; entry && entry.expiresAt <= now; entry = this.#answered.oldest) {
      this.#drop(entry);
    }
    if (this.#owners.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#sweeper) this.options.clock.clearTimer(this.#sweeper);
    this.#sweeper = undefined;
  }
}

/** A principal has one bound over all its clients; anonymous clients have nothing in common. */
function ownerName(principal: string, clientId: string): string {
  return principal === '' ? `anonymous ${clientId}` : `principal ${principal}`;
}

/** The name of a client has no blank, so the two parts cannot run into each other. */
function entryKey(clientId: string, id: string): string {
  return `${clientId} ${id}`;
}

function wake({ waiting }: Entry): void {
  for (const end of waiting ?? []) end();
}

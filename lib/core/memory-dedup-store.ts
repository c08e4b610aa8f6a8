import type { MessageId } from '../protocol/index.js';
import type { Clock, Timer } from './clock.interface.js';
import type { Claim, DedupKey, DedupRules, DedupStore, StoredAnswer } from './dedup-store.interface.js';
import type { Sizes } from './tables.js';

/** What a claim or an answer counts beside the text of the answer: id, hash and records. 270 to 365 were measured. */
const DEDUP_ENTRY_BYTES = 512;

/** What a client counts that has any: names and tables. With one entry each 790 to 860 were measured together. */
const DEDUP_CLIENT_BYTES = 384;

/** How often it looks for what is due. What is asked for is looked at when it is asked for. */
const SWEEP_INTERVAL_MS = 1_000;

export interface MemoryDedupStoreOptions {
  readonly clock: Clock;
  /** Room for everybody. */
  readonly maxBytes: number;
  /** Room for the claims and answers of one principal, or of one client that is anonymous. */
  readonly maxBytesPerPrincipal: number;
}

/** One message id. Stands in one chain of the store, with those that run or with those that were answered. */
class Entry {
  answer: StoredAnswer | undefined;
  bytes = 0;
  older: Entry | undefined;
  newer: Entry | undefined;
  /** The answer of the same owner that came after this one. */
  next: Entry | undefined;
  waiting: Set<() => void> | undefined;

  constructor(
    readonly client: Client,
    readonly id: MessageId,
    readonly contentHash: string,
    readonly fence: number,
    /** End of the claim while it runs, by the time of leases; of the window afterwards. */
    public expiresAt: number,
  ) {}
}

/** Entries in the order in which they came; a list through the entries themselves, for there are very many. */
class Chain {
  oldest: Entry | undefined;
  size = 0;
  #newest: Entry | undefined;

  add(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest) this.#newest.newer = entry;
    else this.oldest = entry;
    this.#newest = entry;
    this.size++;
  }

  /** Only of an entry that stands in it. */
  delete(entry: Entry): void {
    const { older, newer } = entry;
    entry.older = entry.newer = undefined;
    if (older) older.newer = newer;
    else this.oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    this.size--;
  }

  clear(): void {
    this.oldest = this.#newest = undefined;
    this.size = 0;
  }
}

/** The message ids of one client. */
interface Client {
  readonly owner: Owner;
  readonly clientId: string;
  readonly entries: Map<MessageId, Entry>;
}

/** Who shares one bound: a principal, with all clients, or one client that is anonymous. */
interface Owner {
  readonly principal: string;
  readonly clients: Map<string, Client>;
  bytes: number;
  /** Answers, the oldest and the newest. */
  first: Entry | undefined;
  last: Entry | undefined;
}

/**
 * The dedup store of a single process. Every call is answered at once. Past its bounds the oldest
 * answers go; a claim that runs stays.
 */
export class MemoryDedupStore implements DedupStore {
  #rules: DedupRules = { windowMs: Infinity, leaseMs: Infinity, evicted: () => undefined };
  readonly #principals = new Map<string, Owner>();
  /** Have nothing in common, not even the empty name of their principal. */
  readonly #anonymous = new Map<string, Client>();
  // All of a kind are kept equally long, so the order in which they came is the order in which they are due.
  readonly #running = new Chain();
  readonly #answered = new Chain();
  #bytes = 0;
  #fence = 0;
  /** The newest claim: most are resolved before another one comes. */
  #newest?: Entry;
  #sweeper?: Timer;
  #seenAt = 0;
  #stoodStillMs = 0;

  constructor(private readonly options: MemoryDedupStoreOptions) {}

  sizes(): Sizes {
    return { owners: this.#owners, running: this.#running.size, answered: this.#answered.size };
  }

  /** What it holds, in bytes as its bounds count them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What an owner has room for who holds nothing else. */
  get maxAnswerBytes(): number {
    return (
      Math.min(this.options.maxBytes, this.options.maxBytesPerPrincipal) -
      DEDUP_ENTRY_BYTES -
      DEDUP_CLIENT_BYTES
    );
  }

  start(rules: DedupRules): void {
    this.#rules = rules;
  }

  claim(key: DedupKey): Claim {
    const client = this.#clientOf(key);
    const now = this.#now;
    const entry = this.#alive(client?.entries.get(key.id), now);
    if (!entry) return this.#claim(key, now);
    if (entry.contentHash !== key.contentHash) return { type: 'conflict' };
    return entry.answer ? { type: 'answered', answer: entry.answer } : { type: 'running' };
  }

  renew(key: DedupKey, fence: number): boolean {
    const now = this.#now;
    const entry = this.#held(key, fence, now);
    if (!entry) return false;
    entry.expiresAt = this.#leaseTime(now) + this.#rules.leaseMs;
    // Added again it goes to the end.
    this.#running.delete(entry);
    this.#running.add(entry);
    return true;
  }

  resolve(key: DedupKey, fence: number, answer: StoredAnswer): boolean {
    const now = this.#now;
    const entry = this.#held(key, fence, now);
    if (!entry) return false;
    const { owner } = entry.client;
    const text = answer.type === 'data' ? answer.data : answer.error;
    this.#running.delete(entry);
    entry.answer = answer;
    entry.expiresAt = now + this.#rules.windowMs;
    this.#answered.add(entry);
    if (owner.last) owner.last.next = entry;
    else owner.first = entry;
    owner.last = entry;
    this.#grow(entry, text === undefined ? 0 : Buffer.byteLength(text));
    wake(entry);
    this.#makeRoom(owner, 0, now);
    return true;
  }

  release(key: DedupKey, fence: number): void {
    const entry = this.#held(key, fence, this.#now);
    if (entry) this.#drop(entry);
  }

  wait(key: DedupKey, signal: AbortSignal): Promise<void> {
    const entry = this.#alive(this.#clientOf(key)?.entries.get(key.id), this.#now);
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
    for (let entry = this.#running.oldest; entry; entry = entry.newer) wake(entry);
    this.#principals.clear();
    this.#anonymous.clear();
    this.#running.clear();
    this.#answered.clear();
    this.#newest = undefined;
    this.#bytes = 0;
    this.#rest();
  }

  /** In whole milliseconds, which take no memory of their own in each entry. */
  get #now(): number {
    return Math.floor(this.options.clock.now());
  }

  /** Whoever has a claim or an answer. */
  get #owners(): number {
    return this.#principals.size + this.#anonymous.size;
  }

  #clientOf({ principal, clientId }: DedupKey): Client | undefined {
    if (principal === '') return this.#anonymous.get(clientId);
    return this.#principals.get(principal)?.clients.get(clientId);
  }

  /** The claim of the key, where it holds under this fence. */
  #held(key: DedupKey, fence: number, now: number): Entry | undefined {
    const isNewest = this.#newest?.fence === fence;
    const entry = isNewest ? this.#newest : this.#clientOf(key)?.entries.get(key.id);
    return entry?.fence === fence && !entry.answer ? this.#alive(entry, now) : undefined;
  }

  /** The entry, unless its time is over. */
  #alive(entry: Entry | undefined, now: number): Entry | undefined {
    if (!entry) return undefined;
    if (entry.answer) {
      if (entry.expiresAt > now) return entry;
      // With all that was answered before it.
      this.#expire(now);
    } else {
      if (entry.expiresAt > this.#leaseTime(now)) return entry;
      this.#drop(entry);
    }
    return undefined;
  }

  /**
   * The time by which claims lapse. It stands still while the process does, stopped or with a blocked loop:
   * nobody can renew then, and those who run go on afterwards. A sweep that is overdue tells.
   */
  #leaseTime(now: number): number {
    this.#stoodStillMs += Math.max(0, now - this.#seenAt - SWEEP_INTERVAL_MS);
    this.#seenAt = now;
    return now - this.#stoodStillMs;
  }

  #claim(key: DedupKey, now: number): Claim {
    const { id, contentHash } = key;
    const client = this.#clientOf(key) ?? this.#newClient(key);
    const { owner } = client;
    // Where its last answer goes for this, so does what the client has counted: as much as it counts anew.
    const bytes = client.entries.size === 0 ? DEDUP_ENTRY_BYTES + DEDUP_CLIENT_BYTES : DEDUP_ENTRY_BYTES;
    if (!this.#makeRoom(owner, bytes, now)) return { type: 'full' };
    const fence = ++this.#fence;
    const expiresAt = this.#leaseTime(now) + this.#rules.leaseMs;
    const entry = new Entry(client, id, contentHash, fence, expiresAt);
    if (client.entries.size === 0) this.#keep(client);
    client.entries.set(id, entry);
    this.#newest = entry;
    this.#running.add(entry);
    this.#grow(entry, DEDUP_ENTRY_BYTES);
    this.#sweeper ??= this.options.clock.setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    return { type: 'claimed', fence };
  }

  /** Not kept before it has a claim. */
  #newClient({ principal, clientId }: DedupKey): Client {
    const owner = principal === '' ? undefined : this.#principals.get(principal);
    return { owner: owner ?? newOwner(principal), clientId, entries: new Map<MessageId, Entry>() };
  }

  #keep(client: Client): void {
    const { owner, clientId } = client;
    this.#count(owner, DEDUP_CLIENT_BYTES);
    if (owner.principal === '') {
      this.#anonymous.set(clientId, client);
      return;
    }
    owner.clients.set(clientId, client);
    this.#principals.set(owner.principal, owner);
  }

  /** Who has nothing is not known any more. */
  #forget({ owner, clientId }: Client): void {
    this.#count(owner, -DEDUP_CLIENT_BYTES);
    if (owner.principal === '') {
      this.#anonymous.delete(clientId);
      return;
    }
    owner.clients.delete(clientId);
    if (owner.clients.size === 0) this.#principals.delete(owner.principal);
  }

  /** Drops the oldest answers until so many more bytes fit; `false` where those that run leave no room. */
  #makeRoom(owner: Owner, bytes: number, now: number): boolean {
    const { maxBytes, maxBytesPerPrincipal } = this.options;
    let evicted = 0;
    for (let entry = owner.first; entry && owner.bytes + bytes > maxBytesPerPrincipal;) {
      evicted += this.#evict(entry, now);
      entry = owner.first;
    }
    for (let entry = this.#answered.oldest; entry && this.#bytes + bytes > maxBytes;) {
      evicted += this.#evict(entry, now);
      entry = this.#answered.oldest;
    }
    if (evicted > 0) this.#rules.evicted(evicted);
    return owner.bytes + bytes <= maxBytesPerPrincipal && this.#bytes + bytes <= maxBytes;
  }

  /** How many are missed by it: nobody misses what is past its window. */
  #evict(entry: Entry, now: number): number {
    this.#drop(entry);
    return entry.expiresAt > now ? 1 : 0;
  }

  #grow(entry: Entry, bytes: number): void {
    entry.bytes += bytes;
    this.#count(entry.client.owner, bytes);
  }

  #count(owner: Owner, bytes: number): void {
    owner.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Of answers always the oldest of their owner: among all they stand in the same order. */
  #drop(entry: Entry): void {
    const { client } = entry;
    if (entry.answer) {
      const { owner } = client;
      this.#answered.delete(entry);
      owner.first = entry.next;
      if (!entry.next) owner.last = undefined;
      entry.next = undefined;
    } else {
      this.#running.delete(entry);
    }
    client.entries.delete(entry.id);
    if (entry === this.#newest) this.#newest = undefined;
    this.#grow(entry, -entry.bytes);
    if (client.entries.size === 0) this.#forget(client);
    wake(entry);
  }

  #sweep(): void {
    const now = this.#now;
    const leaseTime = this.#leaseTime(now);
    for (let entry = this.#running.oldest; entry && entry.expiresAt <= leaseTime;) {
      this.#drop(entry);
      entry = this.#running.oldest;
    }
    this.#expire(now);
    if (this.#owners === 0) this.#rest();
  }

  #expire(now: number): void {
    for (let entry = this.#answered.oldest; entry && entry.expiresAt <= now;) {
      this.#drop(entry);
      entry = this.#answered.oldest;
    }
  }

  #rest(): void {
    if (this.#sweeper) this.options.clock.clearTimer(this.#sweeper);
    this.#sweeper = undefined;
  }
}

function newOwner(principal: string): Owner {
  return { principal, clients: new Map<string, Client>(), bytes: 0, first: undefined, last: undefined };
}

function wake(entry: Entry): void {
  for (const end of entry.waiting ?? []) end();
  // An answer is kept for long, and nobody waits for it any more.
  entry.waiting = undefined;
}

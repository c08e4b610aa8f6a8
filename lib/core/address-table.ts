import type { Clock } from './clock.interface.js';
import { MAX_SLOT_WAIT_MS } from './slot-book.js';

/** Addresses whose handshakes are remembered. Of more the one that was heard of longest ago is forgotten. */
export const MAX_ADDRESSES = 10_000;

/** Sums of fractions miss whole numbers by less. */
const ROUNDING = 1e-6;

interface Bucket {
  turns: number;
  filledAt: number;
  /** The last time that somebody was told to come back at. */
  toldAt: number;
}

/** What an address may have and do. */
export interface AddressLimits {
  readonly maxConnectionsPerAddress: number;
  readonly handshakesPerSecondPerAddress: number;
}

export type AddressRefusal =
  | { readonly reason: 'address_connections' }
  | { readonly reason: 'address_rate'; readonly retryAfterMs: number };

/** Connections and handshakes of each address. Who is neither connected nor heard of has no entry. */
export class AddressTable {
  readonly #connections = new Map<string, number>();
  /** The one that was heard of last stands last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    private readonly limits: AddressLimits,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#connections.size + this.#buckets.size;
  }

  /** Nothing is limited. */
  get isOff(): boolean {
    const { maxConnectionsPerAddress, handshakesPerSecondPerAddress } = this.limits;
    return maxConnectionsPerAddress === 0 && handshakesPerSecondPerAddress === 0;
  }

  /**
   * Takes a handshake of an address, whatever comes of it, or says why there is none: also one that ends with a slot
   * of the node is one.
   */
  ask(address: string): AddressRefusal | undefined {
    const { maxConnectionsPerAddress, handshakesPerSecondPerAddress } = this.limits;
    const connections = this.#connections.get(address) ?? 0;
    if (maxConnectionsPerAddress > 0 && connections >= maxConnectionsPerAddress) {
      return { reason: 'address_connections' };
    }
    if (handshakesPerSecondPerAddress === 0) return undefined;
    const bucket = this.#bucketOf(address);
    if (bucket.turns >= 1 - ROUNDING) {
      bucket.turns -= 1;
      return undefined;
    }
    return { reason: 'address_rate', retryAfterMs: this.#waitOf(bucket) };
  }

  /** One connection more. */
  enter(address: string): void {
    if (this.limits.maxConnectionsPerAddress === 0) return;
    this.#connections.set(address, (this.#connections.get(address) ?? 0) + 1);
  }

  leave(address: string): void {
    const connections = this.#connections.get(address);
    if (connections === undefined) return;
    if (connections > 1) this.#connections.set(address, connections - 1);
    else this.#connections.delete(address);
  }

  /** Forgets the addresses that may begin as many handshakes as one that was never heard of. */
  sweep(now: number): void {
    const rate = this.limits.handshakesPerSecondPerAddress;
    for (const [address, bucket] of this.#buckets) {
      this.#fill(bucket, now);
      if (bucket.turns >= rate && bucket.toldAt <= now) this.#buckets.delete(address);
    }
  }

  #bucketOf(address: string): Bucket {
    const now = this.clock.now();
    const rate = this.limits.handshakesPerSecondPerAddress;
    const bucket = this.#buckets.get(address) ?? { turns: rate, filledAt: now, toldAt: now };
    this.#fill(bucket, now);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > MAX_ADDRESSES) this.#forgetOldest();
    return bucket;
  }

  #fill(bucket: Bucket, now: number): void {
    const rate = this.limits.handshakesPerSecondPerAddress;
    bucket.turns = Math.min(rate, bucket.turns + ((now - bucket.filledAt) * rate) / 1_000);
    bucket.filledAt = now;
  }

  /** One after the other, so that they do not come back at the same time. */
  #waitOf(bucket: Bucket): number {
    const now = this.clock.now();
    const paceMs = 1_000 / this.limits.handshakesPerSecondPerAddress;
    const soonest = now + (1 - bucket.turns) * paceMs;
    bucket.toldAt = Math.min(Math.max(soonest, bucket.toldAt + paceMs), now + MAX_SLOT_WAIT_MS);
    return Math.max(1, Math.ceil(bucket.toldAt - now));
  }

  #forgetOldest(): void {
    for (const address of this.#buckets.keys()) {
      this.#buckets.delete(address);
      return;
    }
  }
}

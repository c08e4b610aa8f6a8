import type { Clock } from './clock.interface.js';
import { forgetOldest } from './forget-oldest.js';
import { MAX_SLOT_WAIT_MS } from './slot-book.js';
import { TokenBucket, type Rate } from './token-bucket.js';

/** Addresses whose handshakes are remembered. Of more the one that was heard of longest ago is forgotten. */
export const MAX_ADDRESSES = 10_000;

interface Turns {
  readonly bucket: TokenBucket;
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
  readonly #turns = new Map<string, Turns>();

  constructor(
    private readonly limits: AddressLimits,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#connections.size + this.#turns.size;
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
    const now = this.clock.now();
    const turns = this.#turnsOf(address, now);
    if (!turns.bucket.has(1, now)) return { reason: 'address_rate', retryAfterMs: this.#waitOf(turns, now) };
    turns.bucket.take(1);
    return undefined;
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
    for (const [address, { bucket, toldAt }] of this.#turns) {
      if (bucket.isFull(now) && toldAt <= now) this.#turns.delete(address);
    }
  }

  #turnsOf(address: string, now: number): Turns {
    const turns = this.#turns.get(address) ?? { bucket: new TokenBucket(this.#rate, now), toldAt: now };
    this.#turns.delete(address);
    this.#turns.set(address, turns);
    if (this.#turns.size > MAX_ADDRESSES) forgetOldest(this.#turns);
    return turns;
  }

  /** One after the other, so that they do not come back at the same time. */
  #waitOf(turns: Turns, now: number): number {
    const soonest = now + turns.bucket.msUntil(1, now);
    const next = turns.toldAt + 1_000 / this.limits.handshakesPerSecondPerAddress;
    turns.toldAt = Math.min(Math.max(soonest, next), now + MAX_SLOT_WAIT_MS);
    return Math.max(1, Math.ceil(turns.toldAt - now));
  }

  get #rate(): Rate {
    const points = this.limits.handshakesPerSecondPerAddress;
    return { points, perMs: 1_000, burst: points };
  }
}

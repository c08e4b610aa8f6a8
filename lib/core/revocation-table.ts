import type { Clock } from './clock.interface.js';
import { ChannelsError } from './errors.js';
import { claimOf, type Identity } from './identity.js';
import type { Revocation, RevocationTarget } from './revocation-store.interface.js';

/** Of more, those that are over are forgotten, however they came; and again of twice as many as are left. */
const PRUNE_AT = 1_000;

/** The revocations that a node knows. */
export class RevocationTable {
  readonly #principals = new Map<string, Revocation>();
  /** By the name of the claim, and then by its value. */
  readonly #claims = new Map<string, Map<string, Revocation>>();
  #size = 0;
  #pruneAt = PRUNE_AT;

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#size;
  }

  *all(): Iterable<Revocation> {
    yield* this.#principals.values();
    for (const values of this.#claims.values()) yield* values.values();
  }

  get({ principal, claim }: RevocationTarget): Revocation | undefined {
    return claim ? this.#claims.get(claim.name)?.get(claim.value) : this.#principals.get(principal);
  }

  /** Whether it can be kept: the table has room, knows the target, or has something that is over. */
  hasRoom(target: RevocationTarget, max: number): boolean {
    if (this.#size < max || this.get(target)) return true;
    this.#prune();
    return this.#size < max;
  }

  /** Keeps it. Of two for one target the later times hold. Returns whether anything is new. */
  set({ target, revokedAt, until }: Revocation): boolean {
    const known = this.get(target);
    if (known && known.revokedAt >= revokedAt && known.until >= until) return false;
    if (!known && ++this.#size > this.#pruneAt) this.#prune();
    const { principal, claim } = target;
    const merged: Revocation = {
      target,
      revokedAt: Math.max(revokedAt, known?.revokedAt ?? revokedAt),
      until: Math.max(until, known?.until ?? until),
    };
    if (claim) this.#valuesOf(claim.name).set(claim.value, merged);
    else this.#principals.set(principal, merged);
    return true;
  }

  delete(target: RevocationTarget): void {
    const { principal, claim } = target;
    if (!this.get(target)) return;
    this.#size--;
    if (!claim) {
      this.#principals.delete(principal);
      return;
    }
    const values = this.#claims.get(claim.name);
    values?.delete(claim.value);
    if (values?.size === 0) this.#claims.delete(claim.name);
  }

  covers(identity: Identity): boolean {
    if (this.#size === 0) return false;
    if (this.#holds(this.#principals.get(identity.principal), identity)) return true;
    for (const [name, values] of this.#claims) {
      const value = claimOf(identity, name);
      if (value !== undefined && this.#holds(values.get(value), identity)) return true;
    }
    return false;
  }

  /** A session that does not say when it was issued may be as old as it likes. */
  #holds(revocation: Revocation | undefined, { issuedAt = -Infinity }: Identity): boolean {
    return (
      revocation !== undefined && revocation.until > this.clock.wallNow() && issuedAt <= revocation.revokedAt
    );
  }

  #valuesOf(name: string): Map<string, Revocation> {
    let values = this.#claims.get(name);
    if (!values) this.#claims.set(name, (values = new Map()));
    return values;
  }

  /** Only where there are many: while the wall clock may be set back, what is over may not be. */
  #prune(): void {
    const now = this.clock.wallNow();
    for (const { target, until } of [...this.all()]) if (until <= now) this.delete(target);
    this.#pruneAt = Math.max(PRUNE_AT, 2 * this.#size);
  }
}

/** What a store with a bound says. */
export function noRoom(max: number): ChannelsError {
  return new ChannelsError(
    'limit_exceeded',
    `${max} revocations are remembered (maxRevocations), and this one is not; raise the option, or give earlier ends`,
  );
}

import type { Clock } from './clock.interface.js';
import { isUnavailable } from './errors.js';
import type { HeldClaim } from './held-claim.js';
import type { Observers } from './observers.js';
import { OldestFirst } from './oldest-first.js';

/** A claim is renewed so many times before it would lapse: one or two may be missed. */
const RENEWALS_PER_LEASE = 3;

/** The claims of the handlers that run on this node. One sweep renews all of them. */
export class Claims {
  // All are renewed equally often, so the order in which they came is the order in which they are due.
  readonly #held = new OldestFirst<HeldClaim>();
  readonly #renewEveryMs: number;

  constructor(
    private readonly observers: Observers,
    private readonly clock: Clock,
    leaseMs: number,
    private readonly windowMs: number,
  ) {
    this.#renewEveryMs = leaseMs / RENEWALS_PER_LEASE;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Renews it from now on, for as long as an answer is kept. */
  keep(claim: HeldClaim): void {
    const now = this.clock.now();
    claim.endsAt = now + this.windowMs;
    this.#add(claim, now);
  }

  sweep(now: number): void {
    for (let claim = this.#held.oldest; claim && claim.renewAt <= now; claim = this.#held.oldest) {
      claim.place?.leave();
      if (now >= claim.endsAt) claim.giveUp();
      else this.#renew(claim, now);
    }
  }

  #add(claim: HeldClaim, now: number): void {
    claim.renewAt = now + this.#renewEveryMs;
    claim.place = this.#held.add(claim);
  }

  #renew(claim: HeldClaim, now: number): void {
    this.#add(claim, now);
    try {
      const renewed = claim.renew();
      if (renewed instanceof Promise) void renewed.then((held) => this.#check(claim, held), this.#report);
      else this.#check(claim, renewed);
    } catch (error) {
      this.#report(error);
    }
  }

  /** Somebody else has claimed: that is for good. The handler learns it when it has an answer. */
  #check(claim: HeldClaim, held: boolean): void {
    if (!held) claim.place?.leave();
  }

  /** A store that is away may be back before the claim lapses, and is not reported for each claim. */
  readonly #report = (error: unknown): void => {
    if (isUnavailable(error)) return;
    this.observers.failed({ where: 'dedupStore.renew', error });
  };
}

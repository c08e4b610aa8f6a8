import { CLOSE_CODES } from '../protocol/index.js';
import { dismiss } from './dismiss.js';
import type { Engine } from './engine.js';
import { ChannelsError } from './errors.js';
import { claimOf, type Identity } from './identity.js';
import type { Revocation, RevocationStore } from './revocation-store.interface.js';
import { parseTarget } from './revocation-target.js';

/** Keeps those out who were revoked, and ends what they have open here. */
export class Revocations {
  /** How long the longest session lasts that was seen here. */
  #longestMs = 0;

  constructor(
    private readonly engine: Engine,
    private readonly store: RevocationStore,
  ) {}

  start(): Promise<void> | void {
    const { clock, random, options, observers } = this.engine;
    return this.store.start({
      clock,
      random,
      maxRevocations: options.maxRevocations,
      found: () => void this.sweep(),
      failed: (where, error) => observers.failed({ where, error }),
    });
  }

  close(): Promise<void> | void {
    return this.store.close();
  }

  /** How many this node knows. */
  get size(): number {
    return this.store.size;
  }

  /** Somebody is here. */
  saw({ expiresAt }: Identity): void {
    if (expiresAt === undefined || !Number.isFinite(expiresAt)) return;
    this.#longestMs = Math.max(this.#longestMs, expiresAt - this.engine.clock.wallNow());
  }

  covers(identity: Identity): boolean {
    return this.store.covers(identity);
  }

  /** Remembers it, and closes those that it concerns, also where it cannot be remembered. */
  async add(revocation: Revocation): Promise<{ readonly closed: number; readonly failure?: unknown }> {
    const kept = attempt(() => this.store.add(revocation));
    const closed = this.#end(revocation);
    try {
      await kept;
      return { closed };
    } catch (failure) {
      return { closed, failure };
    }
  }

  /**
   * Another node says so.
   *
   * @param isKept - whether it is to be remembered: a store that is full has no room for it here either
   * @returns how many connections were closed
   */
  learn(revocation: Revocation, isKept: boolean): number {
    if (isKept) this.store.learn(revocation);
    return this.#end(revocation);
  }

  #end(revocation: Revocation): number {
    const closed = this.sweep(revocation);
    this.engine.observers.revoked(closed);
    return closed;
  }

  /** Closes whoever is revoked, or whom this one revocation concerns; returns how many it were. */
  sweep(revocation?: Revocation): number {
    const { connections, clock } = this.engine;
    const revoked = [...connections.values()].filter(
      ({ info, writable }) => writable && (revocation ? concerns(revocation, info) : this.covers(info)),
    );
    dismiss(revoked, clock, CLOSE_CODES.Forbidden);
    return revoked.length;
  }

  /** @throws ChannelsError `bad_request` for what cannot be revoked */
  parse(target: unknown, until: unknown): Revocation {
    const revokedAt = Math.floor(this.engine.clock.wallNow());
    const end = until ?? revokedAt + Math.max(this.engine.options.revocationTtlMs, this.#longestMs);
    const untilMs = end instanceof Date ? end.getTime() : end;
    if (typeof untilMs !== 'number' || !(untilMs > revokedAt && untilMs <= Number.MAX_SAFE_INTEGER)) {
      throw new ChannelsError(
        'bad_request',
        `until (${String(until)}) must be a time to come, a Date or milliseconds since the epoch; exp of a JWT is in seconds`,
      );
    }
    return { target: parseTarget(target), revokedAt, until: Math.ceil(untilMs) };
  }
}

function concerns({ target, revokedAt }: Revocation, identity: Identity): boolean {
  if ((identity.issuedAt ?? -Infinity) > revokedAt) return false;
  const { principal, claim } = target;
  return claim ? claimOf(identity, claim.name) === claim.value : identity.principal === principal;
}

async function attempt(work: () => Promise<void> | void): Promise<void> {
  await work();
}

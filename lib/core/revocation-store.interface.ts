import type { Clock } from './clock.interface.js';
import type { Identity } from './identity.js';
import type { Random } from './random.interface.js';

/** Whose sessions are revoked: all of a user, or those that have a claim, such as an id of the session. */
export type RevocationTarget =
  | { readonly principal: string; readonly claim?: undefined }
  | { readonly claim: { readonly name: string; readonly value: string }; readonly principal?: undefined };

/** A revocation. Times are milliseconds since the epoch. */
export interface Revocation {
  readonly target: RevocationTarget;
  /** What was issued later is welcome, where the session says when it was issued. */
  readonly revokedAt: number;
  /** When it may be forgotten: every token that it concerns has ended by then. */
  readonly until: number;
}

/** The node that a store works for. */
export interface RevocationHost {
  readonly clock: Clock;
  readonly random: Random;
  /** How many revocations a node adds to those that there are, see `maxRevocations`. */
  readonly maxRevocations: number;

  /** Other nodes have added some, and this one has found them by itself. */
  found(): void;

  /** Something has failed that nobody waits for. */
  failed(where: string, error: unknown): void;
}

/**
 * Port that remembers revocations, for all nodes that share it.
 *
 * Guarantees an implementation gives: what was added is found by every node that shares the store, also by one that was
 * away or starts later, within a second of when it can reach the store; it is kept until its `until`, and never dropped
 * for want of room; of two revocations of one target the later times hold. {@link covers} answers at once, by what this
 * node knows, whether the store can be reached or not.
 */
export interface RevocationStore {
  /** How many this node knows, of which some may have ended. */
  readonly size: number;

  /** Called once, before anything else. What is there already is known when it resolves, where it can be had. */
  start(host: RevocationHost): Promise<void> | void;

  /**
   * Remembers it, here at once and for all nodes when it resolves. Rejects with `limit_exceeded` where there is no room,
   * and then nobody remembers it; with `unavailable` where the others cannot be told: then this node remembers it, and
   * tells them as soon as it can.
   */
  add(revocation: Revocation): Promise<void> | void;

  /** Another node says so: from now on this one knows it, and has nobody to tell. */
  learn(revocation: Revocation): void;

  /** Whether somebody is revoked. */
  covers(identity: Identity): boolean;

  /** Ends it. May be called twice. */
  close(): Promise<void> | void;
}

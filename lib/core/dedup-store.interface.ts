import type { MessageId } from '../protocol/index.js';

/** What one message id of one client stands for. */
export interface DedupKey {
  /** Empty for somebody anonymous: then nothing but the `clientId`, a secret, tells one from another. */
  readonly principal: string;
  /** Of the `$hello`; `connection:<id>` for a connection that has given none. Has no blank. */
  readonly clientId: string;
  /** `1` and `"1"` are the same id, and come as the number. */
  readonly id: MessageId;
  /**
   * Stands for the event and the decoded data: another one under the same id is a `conflict`. A hash of at most 43
   * characters, or, where that is no longer, the JSON of both: a store outside of the process may want to hash it.
   */
  readonly contentHash: string;
}

/** How the run of a message ended, as JSON text; repeated to every later copy of it. */
export type StoredAnswer =
  { readonly type: 'data'; readonly data?: string } | { readonly type: 'error'; readonly error: string };

/** What {@link DedupStore.claim} says about a copy of a message. */
export type Claim =
  /** The caller runs the handler. `fence` grows with each claim of a key; only the newest may store. */
  | { readonly type: 'claimed'; readonly fence: number }
  /** Another copy runs it: {@link DedupStore.wait} for its end. */
  | { readonly type: 'running' }
  | { readonly type: 'answered'; readonly answer: StoredAnswer }
  /** The id came with another event or other data. */
  | { readonly type: 'conflict' }
  /** So many handlers run that there is no room for one more claim. */
  | { readonly type: 'full' };

/** What the engine tells a store when it starts. */
export interface DedupRules {
  /** How long an answer is kept, in milliseconds. */
  readonly windowMs: number;
  /** How long a claim holds that is not renewed, in milliseconds. A process that stands still renews nothing. */
  readonly leaseMs: number;
  /** To be told of answers that went before the end of the window, for want of room. */
  readonly evicted: (count: number) => void;
}

/**
 * Port that lets a message to an `@Acked()` handler run at most once within the dedup window.
 *
 * Guarantees: of several claims of one key at most one is `claimed` at a time; a claim holds until it
 * is resolved, released, or was not renewed for `leaseMs`; what comes under the `fence` of a claim that another
 * one has followed, or that was resolved or released, changes nothing, while one that has only lapsed, or was
 * forgotten, may be taken again by its `renew` or `resolve`; an answer is kept for `windowMs` after it was stored, unless room is short,
 * which is told to `evicted`. A running claim is never dropped for want of room.
 *
 * A store in memory answers at once, so that a handler which does the same is answered without a promise.
 */
export interface DedupStore {
  /**
   * Longest answer that it can keep, in bytes. A longer one is not handed to it: the peer is told
   * `payload_too_large`. Without it, `maxMessageBytes` alone bounds an answer.
   */
  readonly maxAnswerBytes?: number;

  /** Called once, before anything else. */
  start(rules: DedupRules): Promise<void> | void;

  /** Asks to run the handler; the first copy of a key may. */
  claim(key: DedupKey): Promise<Claim> | Claim;

  /** Keeps a running claim alive for another `leaseMs`. `false` where it was lost: then nobody renews it again. */
  renew(key: DedupKey, fence: number): Promise<boolean> | boolean;

  /** Stores the answer, ends the claim and wakes those who wait. `false` where the claim was lost. */
  resolve(key: DedupKey, fence: number, answer: StoredAnswer): Promise<boolean> | boolean;

  /** Ends the claim without an answer, for a retryable error: the next copy may run again. */
  release(key: DedupKey, fence: number): Promise<void> | void;

  /**
   * Resolves when the running claim of the key has ended in whatever way, or the signal aborts. May
   * resolve earlier: who has waited claims again.
   */
  wait(key: DedupKey, signal: AbortSignal): Promise<void>;

  /** Lets go of what it holds, at shutdown, and wakes those who wait. May be called twice. */
  close(): Promise<void> | void;

  /** How many entries its tables have that grow with what peers do, by name: for operators. */
  sizes?(): Readonly<Record<string, number>>;
}

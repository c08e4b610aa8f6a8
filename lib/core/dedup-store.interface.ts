import type { WireError } from '../protocol/index.js';

/** What one message id of one client stands for. */
export interface DedupKey {
  readonly principal: string;
  readonly clientId: string;
  readonly id: string;
  /** Hash of the event and the decoded data: another one under the same id is a `conflict`. */
  readonly contentHash: string;
}

/** How the run of a message ended; repeated to every later copy of it. */
export type StoredAnswer =
  { readonly type: 'data'; readonly data?: string } | { readonly type: 'error'; readonly error: WireError };

/** What {@link DedupStore.claim} says about a copy of a message. */
export type Claim =
  /** The caller runs the handler. `fence` grows with each claim of a key; only the newest may store. */
  | { readonly type: 'claimed'; readonly fence: number }
  /** Another copy runs it: {@link DedupStore.wait} for its answer. */
  | { readonly type: 'running' }
  | { readonly type: 'answered'; readonly answer: StoredAnswer }
  | { readonly type: 'conflict' };

/**
 * Port that lets a message to an `@Acked()` handler run at most once within the dedup window.
 *
 * Guarantees: of several claims of one key at most one is `claimed` at a time; an answer stored
 * under a `fence` that is not the newest is refused; an answer is kept for the whole window.
 */
export interface DedupStore {
  /** Asks to run the handler; the first copy of a key may. */
  claim(key: DedupKey): Promise<Claim>;

  /** Keeps a running claim alive. `false` where it was lost. */
  renew(key: DedupKey, fence: number): Promise<boolean>;

  /** Stores the answer and wakes those who wait. `false` where the claim was lost. */
  resolve(key: DedupKey, fence: number, answer: StoredAnswer): Promise<boolean>;

  /** Frees the key, for a retryable error: the next copy runs again. */
  release(key: DedupKey, fence: number): Promise<void>;

  /** The answer of the running claim; rejects when the signal aborts. */
  wait(key: DedupKey, signal: AbortSignal): Promise<StoredAnswer>;

  /** Lets go of what it holds, at shutdown. Who waits is not answered any more. */
  close(): Promise<void> | void;
}

/**
 * Where a client keeps the messages that have no answer yet, so that they outlive the page.
 * `LocalStorageQueue` of `nestjs-channels/client/storage` is one.
 *
 * @publicApi
 */
export interface QueueStorage {
  /**
   * Takes a queue that nobody holds, with what a former holder has left in it. Called before the first
   * connection, and again when the client comes back from `closed`. The client connects when this has
   * settled; where it rejects, `$error` is told and the client goes on without a storage.
   *
   * @param failed - tells `$error` what went wrong without a call: a record that cannot be read, a lost lock
   */
  open(failed: (cause: unknown) => void): Promise<StoredQueue>;
}

/**
 * A queue that one client holds, and nobody else, until it is closed or its page ends. The client does not
 * wait for what these methods return; what one throws or rejects with is told to `$error`.
 *
 * @publicApi
 */
export interface StoredQueue {
  /** What a former holder has left, in the order in which it was saved first. All have one `clientId`. */
  readonly messages: readonly StoredMessage[];

  /**
   * Adds a message at the end, or replaces the one with this id where it stands. Where it fails there must
   * be no message of this id any more: an older record would claim that it was never sent.
   */
  save(message: StoredMessage): void | Promise<void>;

  /** Forgets a message. One that is not there is ignored. */
  remove(id: string): void | Promise<void>;

  /** Lets go of the queue. What is still in it is for the next holder. */
  close(): void | Promise<void>;
}

/**
 * A message that has no answer yet, with all that sending it again takes. Times are relative, since the clock
 * of a page ends with it: the storage makes points in time of them, and never makes a message younger.
 *
 * @publicApi
 */
export interface StoredMessage {
  readonly id: string;
  /** The identity of the client that sends it; together with the id what the server knows a copy by. */
  readonly clientId: string;
  /** The frame as it travels. */
  readonly text: string;
  /** The tag of who it was queued for; `undefined` before the first welcome. */
  readonly principal?: string;
  /** How long ago it was first sent; `undefined` for never, `Infinity` where nobody can tell. */
  readonly sentAgoMs?: number;
  /** What is left of its `timeoutMs`; `undefined` where it has none, below zero when it is over. */
  readonly leftMs?: number;
}

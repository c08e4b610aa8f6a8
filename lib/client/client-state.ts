/**
 * Why a client is in its state.
 *
 * @publicApi
 */
export type StateReason =
  /** Constructed, and nothing has needed the server yet. */
  | 'created'
  /** `connect()`, or the first thing that needs the server. */
  | 'requested'
  /** The wait is over. */
  | 'retry'
  /** The network or the page came back: worth an attempt at once. */
  | 'hint'
  /** The slot that `$drain` gave has come. */
  | 'drain'
  /** The server has answered `$hello`; a plain server: the socket is open. */
  | 'welcomed'
  /** The connection was closed or lost; `code` says how. */
  | 'closed_by_server'
  /** Nothing was heard for `clientTimeoutMs`. */
  | 'silence'
  /** The token function threw, rejected, or gave no usable token. */
  | 'token_failed'
  /** The socket did not open within `connectTimeoutMs`, or could not be made. */
  | 'connect_failed'
  /** `$hello` was not answered within `helloTimeoutMs`. */
  | 'hello_timeout'
  /** 4401 or 4501: the token function is asked once more. */
  | 'token_refused'
  /** 4509: somebody else used the identity of this client; it takes a new one. */
  | 'replaced'
  /** 4510: nothing was said for long; the next use comes back. */
  | 'idle_timeout'
  /** `maxRetries` attempts in a row have failed. */
  | 'gave_up'
  /** `close()`. */
  | 'close_called'
  /** `reset()`. */
  | 'reset_called';

interface StateOf<Name extends string> {
  readonly name: Name;
  readonly reason: StateReason;
  /** The close code that led here, where one did. */
  readonly code?: number;
}

/**
 * What a client is doing, and why. `idle → connecting → open → waiting → connecting …`, and `closed`.
 * docs/client-states.md has every transition.
 *
 * @publicApi
 */
export type ClientState =
  | StateOf<'idle'>
  | (StateOf<'connecting'> & {
      /** Losses and failed attempts since the last stable connection; 0 at the first attempt. */
      readonly failures: number;
    })
  | StateOf<'open'>
  | (StateOf<'waiting'> & {
      /** Losses and failed attempts since the last stable connection. To be given a slot is none. */
      readonly failures: number;
      /** The length of the wait, from the moment it began. */
      readonly delayMs: number;
      /** The server has said how long: only `connect()` shortens it. */
      readonly ordered: boolean;
    })
  | StateOf<'closed'>;

import type { EncodedFrame } from './encoded-frame.js';

/**
 * What carries one connection. A transport forwards whole messages to `Connection.receive` and
 * reports its end, once, to `Connection.closed`; it keeps no state of the protocol.
 */
export interface Transport {
  /** Bytes that were handed over and have not reached the kernel. */
  readonly bufferedAmount: number;

  /** Bytes read from the peer so far, whole frames or not. Any growth is a sign of life. */
  readonly bytesRead: number;

  /** Bytes handed over for the peer so far; asked often, and not exact to the byte where others write, too. */
  readonly bytesWritten: number;

  /**
   * The application reads the messages itself, too, and may speak a protocol of its own: on a plain
   * connection what no handler takes is not told to the peer.
   */
  readonly isShared: boolean;

  /** Sends the frames in order, in as few writes as the transport can. Ignored after a close. */
  write(frames: readonly EncodedFrame[]): void;

  /** The user of the connection is another object now, where the application has not put one of its own there. */
  renewed(user: unknown, before: unknown): void;

  /** Asks the peer for a sign of life below the protocol. */
  probe(): void;

  /** Says good-bye: what was written before still arrives. Throws where `code` or `reason` cannot be sent. */
  end(code: number, reason: string): void;

  /**
   * Says good-bye to a peer that does not stop: reads nothing more, and ends the connection when the peer has had
   * `REFUSED_CLOSE_TIMEOUT_MS` to read the code.
   */
  expel(code: number, reason: string): void;

  /** Ends the connection at once, without a word. */
  destroy(): void;
}

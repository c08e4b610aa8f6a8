import { ChannelsClientError } from './client-error.js';
import { MAX_TIMER_MS } from './client-options.js';
import type { ClientClock } from './clock.interface.js';
import type { FrameText } from './frame-text.js';

/**
 * How long one message may take, and what is told before its answer.
 *
 * @publicApi
 */
export interface SendOptions {
  /** Rejects with `timeout` when there is no answer within this many milliseconds, waiting offline included. */
  readonly timeoutMs?: number;
  /** Rejects with the reason of the signal. What was sent already may still be done. */
  readonly signal?: AbortSignal;
  /** Is handed each item of a handler that streams. After a reconnect the stream begins again. */
  readonly onItem?: (item: unknown) => void;
}

/** The two ends of a promise. */
export interface Settling {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A message that has no answer yet. */
export interface PendingSend extends Settling {
  readonly id: string;
  readonly event: string;
  readonly frame: FrameText;
  /** The tag of who it was queued for. Before the first welcome nobody knows. */
  principal: string | undefined;
  /** When its time is over. */
  readonly deadline: number | undefined;
  readonly onItem: SendOptions['onItem'];
  /** Ends its timeout, and listens to its signal no more. */
  readonly unwatch: () => void;
  isInFlight: boolean;
  /** It is so on a connection from which another one has taken over. */
  isElsewhere: boolean;
  /** It has given items. */
  isStream?: boolean;
  /** When it was first written to a socket. */
  firstSentAt?: number;
  /** Retryable errors so far. */
  refusals: number;
  /** It is not sent before this. */
  notBefore: number;
  /** There are too many of its event: others wait as well. */
  isLimited?: boolean;
}

/**
 * Waits for the time of a message to be over, or its signal to abort.
 *
 * @param end - is called with what the message is to reject with
 * @returns a function that waits no longer
 */
export function watch(
  event: string,
  { timeoutMs, signal }: SendOptions,
  clock: ClientClock,
  end: (reason: unknown) => void,
): () => void {
  const late = (): void =>
    end(new ChannelsClientError('timeout', `No answer to ${event} within ${timeoutMs} ms.`));
  const abort = (): void => end(signal?.reason);
  signal?.addEventListener('abort', abort);
  const timer =
    timeoutMs === undefined ? timeoutMs : clock.setTimeout(late, Math.min(timeoutMs, MAX_TIMER_MS));
  return () => {
    clock.clearTimer(timer);
    signal?.removeEventListener('abort', abort);
  };
}

/**
 * How the answers of acked handlers are kept in Redis.
 *
 * @publicApi
 */
export interface RedisDedupOptions {
  /**
   * Longest answer of an `@Acked` handler that is kept, in bytes of its JSON. A longer one is not: the peer is told
   * `payload_too_large`. `maxMessageBytes` bounds it as well.
   *
   * @default 1_048_576
   */
  readonly maxAnswerBytes?: number;

  /**
   * How many copies of messages may wait on this node for the answer of the copy that runs, here or on another node.
   * One more is answered `unavailable`, and its client sends it again.
   *
   * @default 10_000
   */
  readonly maxWaitingCopies?: number;
}

const DEFAULTS: Required<RedisDedupOptions> = {
  maxAnswerBytes: 1_048_576,
  maxWaitingCopies: 10_000,
};

/** What a value of Redis may have at most, with its default `proto-max-bulk-len`. */
const MAX_VALUE = 512 * 1024 * 1024 - 1;

/** @throws TypeError where an option has no meaning */
export function resolveDedupOptions(options: RedisDedupOptions): Required<RedisDedupOptions> {
  const { maxAnswerBytes = DEFAULTS.maxAnswerBytes, maxWaitingCopies = DEFAULTS.maxWaitingCopies } = options;
  const resolved = { maxAnswerBytes, maxWaitingCopies };
  for (const [name, value] of Object.entries(resolved)) {
    if (Number.isInteger(value) && value >= 1 && value <= MAX_VALUE) continue;
    throw new TypeError(
      `The option "${name}" is ${String(value)}: it is a whole number from 1 to ${MAX_VALUE}.`,
    );
  }
  return resolved;
}

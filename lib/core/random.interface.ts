/**
 * Chance, injected: what the engine draws can be replayed in a test.
 *
 * @publicApi
 */
export interface Random {
  /** A number in `[0, 1)`, as `Math.random` gives it. Not for secrets. */
  next(): number;

  /** 128 unpredictable bits as 22 characters of base64url, for ids that nobody may guess. */
  id(): string;
}

/** How often something may happen: `points` times at once, then one each `perMs / points` milliseconds. */
export interface RateRule {
  readonly points: number;
  readonly perMs: number;
}

/** Whose points, and for what. */
export interface RateKey {
  /** The path, and the event or the pattern: the same on every node. */
  readonly name: string;
  /** Never empty. */
  readonly principal: string;
}

/** One text for the same key. */
export function keyOf({ name, principal }: RateKey): string {
  // No name has a line break.
  return `${name}\n${principal}`;
}

/**
 * Port for the points of principals, see `@RateLimit({ per: 'principal' })`. Guarantees: of one key at most `points`
 * are given at once, and over any time not more than that and what has come meanwhile; a key that nobody has used for
 * `perMs` has all its points.
 */
export interface RateStore {
  /**
   * Takes a point.
   *
   * @returns 0, or in how many milliseconds there is one where there is none: then nothing was taken. Rejects with
   * `unavailable` where it cannot tell; the node then counts by itself.
   */
  take(key: RateKey, rule: RateRule): Promise<number> | number;
}
